import pytest

from chalicelib.text import words

STAR, EMPTY, HALF = "\N{BLACK STAR}", "\N{WHITE STAR}", "\N{VULGAR FRACTION ONE HALF}"


@pytest.mark.parametrize(
    ("written", "rating"),
    [
        ("0/10", "0/10"),
        ("7.5/10", "8/10"),
        ("7,5/10", "8/10"),
        ("10 / 10", "10/10"),
        ("8/10 stars", "8/10"),
        ("8.0/10.0", "8/10"),
        ("4/5", "8/10"),
        ("3.5/5", "7/10"),
        ("3 1/2 / 5", "7/10"),
        ("85/100", "9/10"),
        ("2.5/4", "6/10"),
        ("3/4 stars", "8/10"),
        ("4 out of 5", "8/10"),
        ("4 out of 5 stars", "8/10"),
        ("4 stars out of 5", "8/10"),
        ("3.5 out of 5", "7/10"),
        ("two stars out of five", "4/10"),
        ("two out of four stars", "5/10"),
        ("half a star out of five", "1/10"),
        ("-10/10", "0/10"),
        ("-3 out of 10", "3/10"),
        ("Two-and-a-half stars out of five", "5/10"),
        ("8 out of ten", "8/10"),
        ("8 of 10", "8/10"),
        ("10-out-of-10", "10/10"),
        ("7 1/2 out of 10", "8/10"),
        ("7 out of a possible 10", "7/10"),
        ("0 out of 100", "0/10"),
        ("3 of 5 stars", "6/10"),
        ("three out of four", "8/10"),
        ("*** out of ****", "8/10"),
        ("**1/2 out of ****", "6/10"),
        ("* 1/2 out of *****", "3/10"),
        ("*1/2 from ****", "4/10"),
        ("* * 1/2 / * * * *", "6/10"),
        ("****/*****", "8/10"),
        ("* (out of 4", "3/10"),
        (STAR * 3 + EMPTY * 2, "6/10"),
        (STAR * 3 + HALF, "7/10"),
        (STAR * 3 + HALF + EMPTY, "7/10"),
        (STAR * 7 + EMPTY * 3, "7/10"),
        (f"{STAR} {STAR} {EMPTY} {EMPTY} {EMPTY}", "4/10"),
        (STAR + EMPTY * 4, "2/10"),
        (STAR * 3 + " out of 4", "8/10"),
        ("\N{WHITE MEDIUM STAR}" * 5, "10/10"),
        (f"3{HALF}/5", "7/10"),
        ("A+", "10/10"),
        ("A-", "8/10"),
        ("B+", "7/10"),
        ("C-", "4/10"),
        ("thumbs up", "8/10"),
        ("Thumbs-up", "8/10"),
        ("two thumbs up", "10/10"),
        ("two big thumbs way up", "10/10"),
        ("thumbs down", "2/10"),
        ("2 thumbs down", "0/10"),
        ("\N{THUMBS UP SIGN}", "8/10"),
        ("\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-3}", "8/10"),
        ("\N{THUMBS DOWN SIGN}", "2/10"),
        ("\N{HUNDRED POINTS SYMBOL}", "10/10"),
    ],
)
def test_a_written_rating_is_one_word(written: str, rating: str) -> None:
    assert words(written) == [rating]
    assert words(f"Slow, but ({written}). Go!") == ["slow", "but", rating, "go", "!"]


@pytest.mark.parametrize(
    ("review", "expected"),
    [
        ("Grade: C", ["grade", "4/10"]),
        ("My grade: B. Good", ["my", "grade", "7/10", "good"]),
        ("MY GRADE:D- <br />The end", ["my", "grade", "2/10", "the", "end"]),
        ("B- for effort, C- at best", ["7/10", "for", "effort", "4/10", "at", "best"]),
        ("A solid B+ to me", ["a", "solid", "7/10", "to", "me"]),
        ("a grade of an F!", ["a", "grade", "of", "an", "1/10", "!"]),
        ("from C+ to B-, depending", ["from", "5/10", "to", "7/10", "depending"]),
    ],
)
def test_a_grade_is_a_rating_where_it_is_unmistakable(review: str, expected: list[str]) -> None:
    assert words(review) == expected


@pytest.mark.parametrize(
    "review",
    [
        "9/11 24/7 50/50 1/2 20/20 16/9 1999/2000",
        "3/4 of it was seen by 1/4",
        "1/5 of the budget",
        "4/5/2004 7/10/2004",
        "11/10",
        "4 stars",
        "one of ten people",
        "nine out of ten times",
        "three out of four actors",
        "3 of 5 were",
        "someone out of five",
        "out of 10 films",
        "a made for television film",
        "plan b",
        "grade school",
        "grade a wedgie",
        "thumbs upwards",
        "under his thumb",
    ],
)
def test_what_is_not_a_rating_stays_as_it_is(review: str) -> None:
    assert words(review) == review.split()


@pytest.mark.parametrize(
    ("review", "expected"),
    [
        ("an A-list star in a B-movie on D-day", "an a list star in a b movie on d day"),
        ("A B- movie with vitamin C", "a b movie with vitamin c"),
        ("C++ and a+b", "c and a b"),
        ("8-10/10 and half of ten", "8 10/10 and half of ten"),
        ("It cost $9/10", "it cost 9/10"),
        ("**** Spoilers **** out now", "spoilers out now"),
        (f"{STAR} Best {STAR}", "best"),
        ("Batman:Dead, Codename:Dragonfly", "batman dead codename dragonfly"),
        ("http://example.com/a", "http example com a"),
        ("the following:(a) and x=(y)", "the following a and x y"),
        ("a<3, <30 and <3%", "a 3 30 and 3"),
        ("(1) and 8)", "1 and 8"),
        ("\N{FACE WITH TEARS OF JOY} \N{LOUDLY CRYING FACE} \N{BROKEN HEART}", ""),
    ],
)
def test_near_misses_are_ordinary_words(review: str, expected: str) -> None:
    assert words(review) == expected.split()


@pytest.mark.parametrize(
    ("word", "signs"),
    [
        (":)", ":) :-) :)) =) :D :-D =D ^_^ <3"),
        (";)", ";) ;-)"),
        (":(", ":( :-( :(( =( :'( :/ :-/"),
        (
            ":)",
            "\N{GRINNING FACE} \N{SMILING FACE WITH HEART-SHAPED EYES} \N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}",
        ),
        (";)", "\N{WINKING FACE}"),
        (":(", "\N{CRYING FACE} \N{PILE OF POO} \N{POUTING FACE} \N{DISAPPOINTED FACE} \N{ANGRY FACE}"),
    ],
)
def test_emoticons_and_emoji_are_three_words(word: str, signs: str) -> None:
    assert words(signs) == [word] * len(signs.split())
    assert words(f"Seen it {signs.split()[0]}.") == ["seen", "it", word]
