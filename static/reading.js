// Reading reviews from the text box, or from a file of any size without loading it whole.

import { CsvReader, columnOf, separatorOf } from "./csv.js";

/** The error for a file that cannot be read as reviews; its message is for the user. */
export class ReadingError extends Error {}

/** Yields the lines of a text in chunks. */
export async function* linesOf(chunks) {
  let rest = "";
  let held = ""; // a return at the end of a chunk: the next chunk may begin with its line feed
  for await (const chunk of chunks) {
    const text = held + chunk;
    held = text.endsWith("\r") ? "\r" : "";
    const lines = text.slice(0, text.length - held.length).split(/\r\n|\n|\r/);
    lines[0] = rest + lines[0];
    rest = lines.pop();
    yield* lines;
  }
  if (rest) yield rest;
}

/** Yields the reviews of a .csv or .txt file; calls `addNote` if the column is a guess. Throws a ReadingError. */
export async function* reviewsIn(file, addNote) {
  if (/\.csv$/i.test(file.name)) yield* csvReviews(textOf(file), addNote);
  else if (/\.txt$/i.test(file.name) || file.type === "text/plain") yield* linesOf(textOf(file));
  else throw new ReadingError("Choose a file whose name ends in .csv or .txt.");
}

async function* csvReviews(chunks, addNote) {
  let column = null; // unknown before the first record
  for await (const record of recordsOf(chunks)) {
    if (column !== null) {
      yield record[column] ?? "";
      continue;
    }
    column = columnOf(record);
    if (column >= 0) continue; // a header, not a review
    column = 0;
    if (record.length > 1) addNote("No column is named review or text, so the first column was read.");
    yield record[0];
  }
}

async function* recordsOf(chunks) {
  let reader = null;
  for await (const chunk of chunks) {
    reader ??= new CsvReader(separatorOf(chunk));
    yield* reader.push(chunk);
  }
  if (reader) yield* reader.end();
}

/** Yields a file's text in chunks: UTF-16 with a byte order mark, UTF-8, or else Windows-1252. */
async function* textOf(file) {
  const decoder = new TextDecoder(await encodingOf(file));
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const text = decoder.decode(value, { stream: true });
    if (text.includes("\0")) throw new ReadingError("This is not a text file.");
    yield text;
  }
  yield decoder.decode();
}

async function encodingOf(file) {
  const start = new Uint8Array(await file.slice(0, 1 << 20).arrayBuffer());
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(start, { stream: true });
    return "utf-8";
  } catch {
    return "windows-1252";
  }
}
