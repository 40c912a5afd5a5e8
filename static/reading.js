// Reviews out of a text box or a file of any size, one after the other, without holding the whole.

import { CsvReader, columnOf, separatorOf } from "./csv.js";

/** A file that cannot be read as reviews; the message is for people. */
export class ReadingError extends Error {}

/** Yields the lines of text that comes in pieces. */
export async function* linesOf(pieces) {
  let rest = "";
  let held = ""; // a return at the end of a piece, which the next may make a pair
  for await (const piece of pieces) {
    const text = held + piece;
    held = text.endsWith("\r") ? "\r" : "";
    const lines = text.slice(0, text.length - held.length).split(/\r\n|\n|\r/);
    lines[0] = rest + lines[0];
    rest = lines.pop();
    yield* lines;
  }
  if (rest) yield rest;
}

/** Yields the reviews of a .csv or .txt file; tells which column was read, throws a ReadingError if none can be. */
export async function* reviewsIn(file, tell) {
  if (/\.csv$/i.test(file.name)) yield* csvReviews(textOf(file), tell);
  else if (/\.txt$/i.test(file.name) || file.type === "text/plain") yield* linesOf(textOf(file));
  else throw new ReadingError("Choose a file whose name ends in .csv or .txt.");
}

async function* csvReviews(pieces, tell) {
  let column = null; // not known before the first record
  for await (const record of recordsOf(pieces)) {
    if (column !== null) {
      yield record[column] ?? "";
      continue;
    }
    column = columnOf(record);
    if (column >= 0) continue; // a header, not a review
    column = 0;
    if (record.length > 1) tell("No column is named review or text, so the first one was read.");
    yield record[0];
  }
}

async function* recordsOf(pieces) {
  let reader = null;
  for await (const piece of pieces) {
    reader ??= new CsvReader(separatorOf(piece));
    yield* reader.push(piece);
  }
  if (reader) yield* reader.end();
}

/** Yields a file's text piece by piece: UTF-16 with a byte order mark, UTF-8, or else Windows-1252. */
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
