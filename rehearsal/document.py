"""A tutorial as a script: its commands run in order, and their output is compared with what the document shows.

Commands are in `console` blocks: a `$` begins one, and the lines below it are its output. `...` stands for omitted text
or lines, and a command without output is not compared. Times, ids and decimal numbers may differ. A block that cannot
be run has a comment above it: `<!-- not run: the reason -->`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

OMITTED, INTERRUPTED = "...", "^C"
_BLOCK = re.compile(
    r"^(?P<skip><!-- not run: \S[^\n]* -->\n)?```console\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL
)
_VARYING = (  # what may differ -> what stands for it
    (re.compile(r"\x1b\[[0-9;]*[A-Za-z]"), ""),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?|\d{4}-\d\d-\d\d:\d\d:\d\d:\d\d"), "<time>"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\b(?=\d*[a-f]|\d{12}\b|\d{8}\b)[0-9a-f]{8,64}\b"), "<id>"),
    (re.compile(r"\b[a-z0-9]{10}(?=\.execute-api|\b[\"/])"), "<id>"),
    (re.compile(r"(?<=/)[\w.~-]+(?=/chalicelib/release)"), "..."),
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"\d+\.\d+"), "<number>"),
    (re.compile(r"\b\d+ (s|min|h|minutes|hours)\b"), "<duration>"),
    (re.compile(r"\b\d[\d,]* MB\b"), "<size>"),
    (re.compile(r"(?<=About )[\d,]+(?= labelled)"), "<number>"),
    (re.compile(r'(?<="requests": )\d+'), "<number>"),
    (re.compile(r"less than a cent|\$<number>( an hour)?"), "<price>"),
    (re.compile(r"[─━]+"), "-"),
)
_PROMPT = re.compile(r"\[y/N\]: (y(?=\n|$))?")  # without a terminal, the answer is not seen, nor its line break
_ONLY_WITHOUT_TERMINAL = re.compile(
    r"\S+ is [A-Z]\w+ \.\.\.|verdict-\S+: [A-Z]\w+|.*\bis being deleted \.\.\.|deleting .*\.\.\."
)


@dataclass(frozen=True)
class DocumentedCommand:
    """A command of a document, with the lines that it shows as its output."""

    text: str
    output: tuple[str, ...]

    @property
    def is_interrupted(self) -> bool:
        """Whether Ctrl-C is pressed while it waits."""
        return INTERRUPTED in self.output


def commands_of(document: str) -> Iterator[DocumentedCommand]:
    """Yield the commands of a document, without those of blocks that cannot be run."""
    for block in _BLOCK.finditer(document):
        if not block["skip"]:
            yield from _commands_in(block["content"].splitlines())


def blocks_not_run(document: str) -> list[str]:
    """Return the reasons for which blocks are not run."""
    return [
        block["skip"].strip()[len("<!-- not run: ") : -len(" -->")]
        for block in _BLOCK.finditer(document)
        if block["skip"]
    ]


def _commands_in(lines: list[str]) -> Iterator[DocumentedCommand]:
    """Yield the commands of a block; the lines of a here-document belong to its command."""
    text, output = list[str](), list[str]()
    end = ""
    for line in lines:
        if end:
            text.append(line)
            end = "" if line == end else end
            continue
        if line.startswith("$ "):
            if text:
                yield DocumentedCommand("\n".join(text), tuple(output))
            text, output = [line[2:]], []
            found = re.search(r"<<'(\w+)'", line)
            end = found[1] if found else ""
        else:
            output.append(line)
    if text:
        yield DocumentedCommand("\n".join(text), tuple(output))


def difference(expected: tuple[str, ...], printed: str) -> str:
    """Return the first expected line that was not printed in its place, "" if the output is as expected."""
    lines = [line for line in _normalized(printed) if not _ONLY_WITHOUT_TERMINAL.fullmatch(line)]
    wanted = _normalized("\n".join(line for line in expected if line != INTERRUPTED))
    place, may_skip = 0, not wanted or wanted[0] == OMITTED
    for line in wanted:
        if line == OMITTED:
            may_skip = True
            continue
        pattern = re.compile(re.escape(line).replace(re.escape(OMITTED), ".*"))
        found = next((number for number in range(place, len(lines)) if pattern.fullmatch(lines[number])), None)
        if found is None or (found > place and not may_skip):
            return line
        place, may_skip = found + 1, False
    return "" if may_skip or not wanted or place == len(lines) else f"nothing after {wanted[-1]!r}"


def _normalized(text: str) -> list[str]:
    """Return the lines of an output, without blank ones, and with the same text for what may differ."""
    text = _PROMPT.sub("[y/N]:\n", text)
    for pattern, stand_in in _VARYING:
        text = pattern.sub(stand_in, text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [re.sub(r"\d[\d,]*", "<number>", line) if line[:1] in ("│", "┃") else line for line in lines if line]
