import random

from chalicelib.ngram_features import indices_inside
from chalicelib.ngrams import hash_ngrams
from training.features.hash_chunk import hash_chunk

WORDS = ["not", "a", "good", "film", "don't", "7/10", "!", "?", ":)", "but", "without", "x" * 300, "isn't", "ever"]


def plain(text: list[str]) -> list[tuple[int, int]]:
    """Return the (hash, code) of every n-gram, one text at a time."""
    hashed = hash_ngrams(text)
    return [
        (value, 2 * kind + (index in inside))
        for kind, (hashes, inside) in enumerate(
            zip(hashed.by_kind, indices_inside(hashed.negated_positions), strict=True)
        )
        for index, value in enumerate(hashes)
    ]


def test_a_chunk_has_the_hashes_of_each_of_its_texts() -> None:
    generator = random.Random(1)
    texts = [generator.choices(WORDS, k=generator.randint(0, 40)) for _ in range(200)]
    text_of, hashes, codes = hash_chunk(texts)
    assert len(text_of) == sum(len(plain(text)) for text in texts)
    assert any(codes % 2 == 1)
    for number, text in enumerate(texts):
        found = zip(hashes[text_of == number].tolist(), codes[text_of == number].tolist(), strict=True)
        assert sorted(found) == sorted(plain(text))


def test_a_chunk_of_empty_texts_has_no_hashes() -> None:
    assert [len(each) for each in hash_chunk([[], []])] == [0, 0, 0]
