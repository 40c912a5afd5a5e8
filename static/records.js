// Records of files: the separator and quotes of a table, and its rows, JSON objects or lines with their line numbers.

import { SEPARATORS, chooseSeparator } from "./columns.js";
import { ReadingError, decoded, linesOf, textOf, withLineFeeds } from "./decoding.js";

const SAMPLE_BYTES = 1 << 18;
export const SAMPLE_ROWS = 25;
const MAX_RECORD_LENGTH = 10_000_000; // characters
const LONG_RECORD = 200; // lines of a record, from which a missing quote is suspected
const NO_QUOTE = "\x1e"; // a quote that does not occur
const DOUBLED = { quoteChar: '"' };
const ESCAPED = { quoteChar: '"', escapeChar: "\\" };
const LITERAL = { quoteChar: NO_QUOTE };

/** Returns the other quotings to try for a format whose quotes do not pair; only with tabs, they may be literal. */
export function otherQuotings({ separator }) {
  return separator === "\t" ? [ESCAPED, LITERAL] : [ESCAPED];
}

/** Returns a file's dialect: {kind}, and for a table {separator, isDeclared, quoting}. */
export async function dialectOf(file, kind, encoding) {
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
  return { kind: "table", separator, isDeclared, quoting: DOUBLED };
}

/** Returns whether the lines of a text file are rows with tabs. */
function areTabbed(text, isWhole) {
  const lines = text.split("\n").slice(0, isWhole ? undefined : -1).filter((line) => line.trim()).slice(0, SAMPLE_ROWS);
  const counts = new Set(lines.map((line) => line.split("\t").length));
  return lines.length > 1 && counts.size === 1 && !counts.has(1);
}

/** Yields the records of a file: {line, cells}, and {problem, detail} if the record looks damaged. */
export async function* recordsOf(format) {
  const text = textOf(format);
  if (format.kind === "lines") yield* numbered(linesOf(text), (line) => ({ cells: [line] }));
  else if (format.kind === "json") yield* jsonRecords(text, format.keys);
  else yield* tableRecords(text, format);
}

/** Yields records of items, one per line of the file. */
export async function* numbered(items, recordOf) {
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

/** Returns the names of the values of a file of JSON lines, in the order of their appearance. */
export async function keysOf(format) {
  const keys = new Set();
  for await (const source of linesOf(textOf(format))) {
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
