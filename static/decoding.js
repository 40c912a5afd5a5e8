// Text of files in chunks: encodings, line breaks and lines.

/** The error for a file that cannot be read as reviews; its message is for the user. */
export class ReadingError extends Error {}

/** Yields the lines of a text in chunks, whose lines end with line feeds. */
export async function* linesOf(chunks) {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = chunk.split("\n");
    lines[0] = rest + lines[0];
    rest = lines.pop();
    yield* lines;
  }
  if (rest) yield rest;
}

/** Yields chunks in which every line ends with a line feed. */
export async function* withLineFeeds(chunks) {
  let held = ""; // a return at the end of a chunk: the next chunk may begin with its line feed
  for await (const chunk of chunks) {
    const text = held + chunk;
    held = text.endsWith("\r") ? "\r" : "";
    yield text.slice(0, text.length - held.length).replace(/\r\n?/g, "\n");
  }
  if (held) yield "\n";
}

/** Yields the text of a file in chunks whose lines end with line feeds. Throws a ReadingError for a binary file. */
export async function* textOf({ file, encoding }) {
  for await (const text of withLineFeeds(decoded(file, encoding))) {
    if (text.includes("\0")) throw new ReadingError(`${file.name} is not a text file.`);
    yield text;
  }
}

/** Yields the text of a blob in chunks; throws a TypeError if it is not in a `fatal` encoding. */
export async function* decoded(blob, encoding, fatal = false) {
  const decoder = new TextDecoder(encoding, { fatal });
  const reader = blob.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    yield decoder.decode(value, { stream: true });
  }
  yield decoder.decode();
}

/** Returns a file's encoding: UTF-16 by its byte order mark or its zeros, UTF-8 if all of it is, or else Windows-1252. */
export async function encodingOf(file) {
  const start = new Uint8Array(await file.slice(0, 1024).arrayBuffer());
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  const least = Math.max(start.length / 4, 4);
  const zeros = [0, 1].map((parity) => start.filter((byte, place) => byte === 0 && place % 2 === parity).length);
  if (zeros[1] > least && zeros[0] === 0) return "utf-16le";
  if (zeros[0] > least && zeros[1] === 0) return "utf-16be";
  try {
    for await (const text of decoded(file, "utf-8", true)) void text;
    return "utf-8";
  } catch (error) {
    if (error instanceof TypeError) return "windows-1252";
    throw error;
  }
}
