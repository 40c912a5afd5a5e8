// Reading CSV from text in chunks, and writing CSV (RFC 4180).

const COLUMN_NAMES = ["review", "text"]; // of the column with the reviews
const RISKY = /^[=+\-@\t\r]/; // a spreadsheet would evaluate it as a formula

/** Reads CSV records from text in chunks, which may end anywhere. */
export class CsvReader {
  #separator = ",";
  #record = [];
  #cell = "";
  #state = "start"; // of a cell: start, plain, quoted, quote (after a quote inside quotes)
  #afterReturn = false;

  constructor(separator = ",") {
    this.#separator = separator;
  }

  /** Takes the next chunk; returns the records that it completes, each a list of cells. */
  push(text) {
    const records = [];
    for (const character of text) this.#take(character, records);
    return records;
  }

  /** Returns the last record, if the text did not end with a line break. */
  end() {
    return this.#state === "start" && this.#record.length === 0 ? [] : [this.#finished()];
  }

  #take(character, records) {
    const lineFeedOfPair = character === "\n" && this.#afterReturn;
    this.#afterReturn = false;
    if (this.#state === "quoted") {
      if (character === '"') this.#state = "quote";
      else this.#cell += character;
    } else if (character === '"' && this.#state === "quote") {
      this.#cell += '"';
      this.#state = "quoted";
    } else if (character === '"' && this.#state === "start") {
      this.#state = "quoted";
    } else if (character === this.#separator) {
      this.#record.push(this.#cell);
      this.#cell = "";
      this.#state = "start";
    } else if (character === "\n" || character === "\r") {
      this.#afterReturn = character === "\r";
      if (!lineFeedOfPair) records.push(this.#finished());
    } else {
      this.#cell += character;
      this.#state = "plain";
    }
  }

  #finished() {
    const record = [...this.#record, this.#cell];
    this.#record = [];
    this.#cell = "";
    this.#state = "start";
    return record;
  }
}

/** Returns the separator that gives the header a column named review or text, or else a comma. */
export function separatorOf(text) {
  const header = text.split(/[\r\n]/, 1)[0];
  return [",", ";", "\t"].find((separator) => columnOf(header.split(separator)) >= 0) ?? ",";
}

/** Returns the index of the column of reviews, or -1 if the cells are not a header. */
export function columnOf(cells) {
  const names = cells.map((cell) => cell.trim().replace(/^"|"$/g, "").toLowerCase());
  return names.findIndex((name) => COLUMN_NAMES.includes(name));
}

/** Formats records as CSV that is safe to open in a spreadsheet. */
export function csvOf(records) {
  return records.map((record) => record.map(cellOf).join(",")).join("\r\n") + "\r\n";
}

function cellOf(value) {
  const text = String(value);
  const safe = RISKY.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
