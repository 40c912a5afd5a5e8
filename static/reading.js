// Reading reviews from the text box, or from files of any size without loading them whole.

import { SEPARATORS, WHOLE_LINE, chooseSeparator, isKnownHeader, labelColumn, mayBeHeader, normalised, reviewColumns } from "./columns.js";
import { MAX_VALUES, scaleOf } from "./labels.js";

const SAMPLE_BYTES = 1 << 18;
const SAMPLE_ROWS = 25;
const PREVIEW_ROWS = 3;
const MAX_RECORD_LENGTH = 10_000_000; // characters
const LONG_RECORD = 200; // lines of a record, from which a missing quote is suspected
const NO_QUOTE = "\x1e"; // a quote that does not occur
const QUOTINGS = [{ quoteChar: '"' }, { quoteChar: '"', escapeChar: "\\" }, { quoteChar: NO_QUOTE }]; // the last only for tabs
const KINDS = { csv: "table", tsv: "table", txt: "lines", jsonl: "json", ndjson: "json", json: "json" }; // by the file's ending

/** The error for a file that cannot be read as reviews; its message is for the user. */
export class ReadingError extends Error {}

/** Returns the source of the reviews in a text, one per line. */
export function textSource(text) {
  return {
    name: "",
    bytes: text.length,
    columns: null,
    reviewColumn: 0,
    labelColumn: null,
    scale: null,
    warnings: [],
    rows: numbered(linesOf(withLineFeeds([text])), (line) => ({ review: line, fields: [line] })),
  };
}

/**
 * Checks files from start to end, and returns the source of their reviews; null if the user cancels. Throws a ReadingError.
 *
 * The source has `name`, `bytes`, `count` (rows), `columns` (names or null), `reviewColumn`, `labelColumn` (or null), `scale`
 * of the labels (see labels.js; or null), `warnings` (texts) and `rows`: {file, line, review, fields}, where `line` is
 * the line of the file on which the row begins. `chooseColumn(preview)` returns {column, hasHeader}, or null to cancel; it
 * is called if the column of the reviews is not obvious, or if quotes are missing.
 */
export async function openSource(files, { chooseColumn }) {
  try {
    const tables = [];
    for (const file of files) tables.push(await inspect(file));
    requireSameColumns(tables);
    const choice = await chosen(tables, chooseColumn);
    return choice && sourceOf(tables, choice);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw new ReadingError("The file cannot be read. It was moved or changed: choose it again.");
  }
}

function requireSameColumns(tables) {
  const [first, ...others] = tables;
  const columnsOf = ({ kind, columns, first: row }) => JSON.stringify(columns ?? [kind === "lines" ? 1 : row.length]);
  const other = others.find((table) => columnsOf(table) !== columnsOf(first));
  if (other) throw new ReadingError(`${first.file.name} and ${other.file.name} have different columns. Choose one of them at a time.`);
}

/** Returns {column, hasHeader} for the tables: what is obvious, or else what the user chooses. */
async function chosen(tables, chooseColumn) {
  const [table] = tables;
  const { column, isObvious, hasHeader } = suggestion(table);
  const warnings = warningsOf(tables);
  if (isObvious && tables.every(({ quoteProblems }) => quoteProblems === 0)) return { column, hasHeader };
  const rows = table.sample.slice(0, PREVIEW_ROWS + 1);
  const canHaveHeader = table.kind === "table";
  return chooseColumn({ name: nameOf(tables), columns: table.columns, rows, column, hasHeader, canHaveHeader, warnings });
}

/** Returns the likely column of the reviews, whether it is obvious, and whether the first row is a header. */
function suggestion(table) {
  if (table.kind === "lines") return { column: 0, isObvious: true, hasHeader: false };
  const { columns, sample, textual } = table;
  const hasHeader = columns !== null;
  const named = reviewColumns(columns ?? []).filter((place) => textual.has(place));
  if (named.length === 1) return { column: named[0], isObvious: true, hasHeader };
  if (table.kind === "table" && table.first.length === 1 && !hasHeader && !mayBeHeader(table.first)) {
    return { column: 0, isObvious: true, hasHeader };
  }
  const longest = [...textual].sort((one, other) => lengthOf(sample, other) - lengthOf(sample, one))[0];
  return { column: named[0] ?? longest, isObvious: false, hasHeader: hasHeader || (table.kind === "table" && mayBeHeader(table.first)) };
}

function lengthOf(rows, column) {
  return rows.reduce((sum, row) => sum + (row[column] ?? "").length, 0);
}

function sourceOf(tables, { column, hasHeader }) {
  const [{ kind, first }] = tables;
  const columns = tables[0].columns ?? (hasHeader && kind === "table" ? first : null);
  const label = columns && labelColumn(columns);
  const values = label === null ? null : union(tables.map(({ values: found }) => found[label] ?? new Set()));
  const isHeader = kind === "table" && hasHeader;
  return {
    name: nameOf(tables),
    bytes: tables.reduce((sum, { file }) => sum + file.size, 0),
    count: tables.reduce((sum, { count }) => sum + count, 0) - (isHeader ? tables.length : 0),
    columns,
    reviewColumn: column,
    labelColumn: label,
    scale: values && scaleOf(values, !/^(label|sentiment)$/.test(normalised(columns[label]))),
    warnings: warningsOf(tables),
    rows: rowsOf(tables, column, isHeader),
  };
}

function union(sets) {
  return new Set(sets.flatMap((set) => [...set]));
}

function nameOf([{ file }, ...others]) {
  return others.length === 0 ? file.name : `${file.name} and ${others.length} more`;
}

function warningsOf(tables) {
  const prefix = ({ file }) => (tables.length > 1 ? `${file.name}: ` : "");
  return tables.flatMap((table) => table.warnings.map((warning) => prefix(table) + warning));
}

async function* rowsOf(tables, column, isHeader) {
  for (const table of tables) {
    let skip = isHeader;
    for await (const { line, cells } of recordsOf(table)) {
      if (!skip) yield { file: table.file.name, line, review: cells[column] ?? "", fields: cells };
      skip = false;
    }
  }
}

/** Reads a file once; returns its format, columns, first rows, labels and warnings. */
async function inspect(file) {
  const kind = KINDS[/\.(\w+)$/.exec(file.name.toLowerCase())?.[1]] ?? (file.type === "text/plain" ? "lines" : null);
  if (!kind) throw new ReadingError("Choose a file whose name ends in .csv, .tsv, .jsonl or .txt. A spreadsheet can be saved as CSV.");
  const encoding = await encodingOf(file);
  const format = { file, encoding, ...(await dialectOf(file, kind, encoding)) };
  const table = await inspectAs(format);
  if (table.quoteProblems === 0) return table;
  for (const quoting of format.separator === "\t" ? QUOTINGS.slice(1) : QUOTINGS.slice(1, 2)) {
    const other = await inspectAs({ ...format, quoting });
    if (other.quoteProblems === 0) return other;
  }
  return table;
}

async function dialectOf(file, kind, encoding) {
  let text = "";
  for await (const chunk of withLineFeeds(decoded(file.slice(0, SAMPLE_BYTES), encoding))) text += chunk;
  const isWhole = file.size <= SAMPLE_BYTES;
  if (kind === "json" && text.trimStart().startsWith("[")) throw new ReadingError(`${file.name} is one JSON array. Save it as JSON lines: one object per line.`);
  if (kind === "lines") return areTabbed(text, isWhole) ? tableDialect("\t", false) : { kind };
  if (kind !== "table") return { kind };
  const declared = /^sep=([^\n"])(\n|$)/i.exec(text);
  if (declared) return tableDialect(declared[1], true);
  if (!text.trim()) return tableDialect(",", false);
  const candidates = file.name.toLowerCase().endsWith(".tsv") ? ["\t", ...SEPARATORS.filter((each) => each !== "\t")] : SEPARATORS;
  const { Parser } = await papaParse();
  const rowsBy = (delimiter) => filled(new Parser({ delimiter, newline: "\n", preview: SAMPLE_ROWS }).parse(text, 0, !isWhole).data);
  return tableDialect(chooseSeparator(candidates, rowsBy), false);
}

function filled(rows) {
  const kept = rows.filter((row) => row.length > 1 || row[0].trim());
  return kept.length > 0 ? kept : [[""]];
}

function tableDialect(separator, isDeclared) {
  return { kind: "table", separator, isDeclared, quoting: QUOTINGS[0] };
}

/** Returns whether the lines of a text file are rows with tabs. */
function areTabbed(text, isWhole) {
  const lines = text.split("\n").slice(0, isWhole ? undefined : -1).filter((line) => line.trim()).slice(0, SAMPLE_ROWS);
  const counts = new Set(lines.map((line) => line.split("\t").length));
  return lines.length > 1 && counts.size === 1 && !counts.has(1);
}

async function inspectAs(format) {
  const { file, kind } = format;
  const tally = new Tally();
  const table = { ...format, first: null, columns: null, sample: [], textual: new Set(), values: {}, count: 0, filled: 0 };
  if (kind === "json") table.keys = await keysOf(format);
  for await (const record of recordsOf(table)) {
    tally.take(record);
    addRecord(table, record, tally);
  }
  if (table.count === 0 || table.first === null) throw new ReadingError(`${file.name} is empty: it has no reviews.`);
  if (kind === "json") table.columns = table.keys;
  else if (kind === "table" && isKnownHeader(table.first)) table.columns = table.first;
  if (kind === "table" && table.filled === 1 && (table.columns || mayBeHeader(table.first))) throw new ReadingError(`${file.name} has a header, but no rows below it.`);
  if (table.textual.size === 0) throw new ReadingError(`${file.name} has no column of text: its cells are numbers or empty.`);
  const encodingNote = format.encoding === "windows-1252" ? ["The file is not UTF-8, so it was read as Windows-1252."] : [];
  return { ...table, quoteProblems: tally.quoteProblems, warnings: [...encodingNote, ...tally.warnings()] };
}

function addRecord(table, { line, cells }, tally) {
  table.count += 1;
  const isBlank = cells.length === 1 && !cells[0].trim();
  table.filled += isBlank ? 0 : 1;
  if (table.first === null) {
    if (!isBlank) table.first = cells;
  } else if (table.kind === "table" && !isBlank && cells.length !== table.first.length) {
    tally.add("ragged", line, `${cells.length} ${cells.length === 1 ? "cell" : "cells"} instead of ${table.first.length}`);
  }
  if (!isBlank && table.sample.length < SAMPLE_ROWS) table.sample.push(cells);
  const isHeader = table.kind === "table" && table.first === cells && (isKnownHeader(cells) || mayBeHeader(cells));
  if (!isHeader) notice(table, cells);
}

/** Notes which columns have text, and the values of those that may be labels. */
function notice(table, cells) {
  for (const [place, cell] of cells.entries()) {
    if (/\p{L}/u.test(cell)) table.textual.add(place);
    const values = (table.values[place] ??= new Set());
    if (values.size <= MAX_VALUES) values.add(cell.trim().slice(0, 40).toLowerCase());
  }
}

/** The problems of a file by kind, each with its first line and their number. */
class Tally {
  #found = new Map();

  add(kind, line, detail) {
    const found = this.#found.get(kind) ?? { line, detail, count: 0 };
    this.#found.set(kind, { ...found, count: found.count + 1 });
  }

  take({ line, problem, detail }) {
    if (problem) this.add(problem, line, detail);
  }

  get quoteProblems() {
    return ["unclosed", "stray", "joined"].reduce((sum, kind) => sum + (this.#found.get(kind)?.count ?? 0), 0);
  }

  warnings() {
    return [...this.#found].map(([kind, { line, detail, count }]) => {
      const more = count > 1 ? ` ${(count - 1).toLocaleString("en")} more rows have this problem.` : "";
      return `Line ${line}: ${WARNINGS[kind](detail)}${more}`;
    });
  }
}

const WARNINGS = {
  ragged: (detail) => `the row has ${detail}.`,
  unclosed: () => "a quote is opened and never closed, so the rest of the file is one row.",
  stray: () => "a quote inside a quoted cell is not doubled, so rows may be joined.",
  joined: (detail) => `a quote may be missing: one row spans ${detail} lines.`,
  json: () => "the line is not a JSON object and is skipped.",
};

/** Yields the records of a file: {line, cells}, and {problem, detail} if the record looks damaged. */
async function* recordsOf(format) {
  const text = withLineFeeds(textOf(format));
  if (format.kind === "lines") yield* numbered(linesOf(text), (line) => ({ cells: [line] }));
  else if (format.kind === "json") yield* jsonRecords(text, format.keys);
  else yield* tableRecords(text, format);
}

async function* numbered(items, recordOf) {
  let line = 0;
  for await (const item of items) yield { line: (line += 1), ...recordOf(item) };
}

async function* jsonRecords(text, keys) {
  let line = 0;
  for await (const source of linesOf(text)) {
    line += 1;
    if (!source.trim()) continue;
    const object = parsedObject(source);
    if (object) yield { line, cells: keys.map((key) => cellOf(object[key])) };
    else yield { line, cells: [""], problem: "json" };
  }
}

function parsedObject(source) {
  try {
    const value = JSON.parse(source);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function cellOf(value) {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function keysOf(format) {
  const keys = new Set();
  for await (const source of linesOf(withLineFeeds(textOf(format)))) {
    for (const key of Object.keys(parsedObject(source) ?? {})) keys.add(key);
  }
  return [...keys];
}

async function* tableRecords(text, { separator, quoting, isDeclared }) {
  const { Parser } = await papaParse();
  const parser = new Parser({ delimiter: separator, newline: "\n", ...quoting });
  let rest = "";
  let line = 1;
  let enough = 0; // characters: a record that does not end yet is read again only when the text has doubled
  let skip = isDeclared;
  for await (const { chunk, isLast } of withLast(text)) {
    rest += chunk;
    if (!isLast && rest.length < enough) continue;
    if (rest.length > MAX_RECORD_LENGTH && enough > MAX_RECORD_LENGTH) throw new ReadingError(`Line ${line} opens a quote that is not closed.`);
    const { data, errors, meta } = rest ? parser.parse(rest, 0, !isLast || rest.endsWith("\n")) : { data: [], errors: [], meta: { cursor: 0 } };
    const unclosed = isLast && meta.cursor < rest.length ? parser.parse(rest.slice(meta.cursor), 0, false) : null;
    for (const record of [...withProblems(data, errors), ...(unclosed ? withProblems(unclosed.data, unclosed.errors) : [])]) {
      const lines = linesIn(record.cells);
      if (!skip) yield { ...record, ...joined(record, lines, separator), line };
      skip = false;
      line += lines;
    }
    rest = rest.slice(meta.cursor);
    enough = data.length > 0 ? 0 : 2 * rest.length;
  }
}

function* withProblems(data, errors) {
  const problems = new Map(errors.map(({ row, code }) => [row, code === "MissingQuotes" ? "unclosed" : "stray"]));
  for (const [row, cells] of data.entries()) yield { cells, problem: problems.get(row) };
}

function linesIn(cells) {
  return cells.reduce((sum, cell) => sum + cell.split("\n").length - 1, 1);
}

/** Returns the problem of a record that may have swallowed others: a quoted cell holds lines that look like rows. */
function joined({ cells, problem }, lines, separator) {
  if (problem || lines < 3) return {};
  const isRow = (line) => line.split(separator).length === cells.length;
  const inner = cells.flatMap((cell) => cell.split("\n").slice(1, -1)).filter((line) => line.trim());
  const holdsRows = cells.length > 1 && inner.length >= (cells.length > 2 ? 1 : 2) && inner.every(isRow);
  return holdsRows || lines > LONG_RECORD ? { problem: "joined", detail: lines } : {};
}

async function* withLast(chunks) {
  let previous = null;
  for await (const chunk of chunks) {
    if (previous !== null) yield { chunk: previous, isLast: false };
    previous = chunk;
  }
  yield { chunk: previous ?? "", isLast: true };
}

/** Yields the lines of a text in chunks, whose lines end with line feeds. */
async function* linesOf(chunks) {
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
async function* withLineFeeds(chunks) {
  let held = ""; // a return at the end of a chunk: the next chunk may begin with its line feed
  for await (const chunk of chunks) {
    const text = held + chunk;
    held = text.endsWith("\r") ? "\r" : "";
    yield text.slice(0, text.length - held.length).replace(/\r\n?/g, "\n");
  }
  if (held) yield "\n";
}

async function* textOf({ file, encoding }) {
  for await (const text of decoded(file, encoding)) {
    if (text.includes("\0")) throw new ReadingError(`${file.name} is not a text file.`);
    yield text;
  }
}

/** Yields the text of a blob in chunks; throws a TypeError if it is not in a `fatal` encoding. */
async function* decoded(blob, encoding, fatal = false) {
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
async function encodingOf(file) {
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

let papa = null; // a promise of PapaParse, which is loaded for the first table only

function papaParse() {
  papa ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("papaparse.js", import.meta.url);
    script.addEventListener("load", () => resolve(window.Papa));
    script.addEventListener("error", () => {
      papa = null;
      reject(new ReadingError("The site cannot be reached. Check your connection, then choose the file again."));
    });
    document.head.append(script);
  });
  return papa;
}
