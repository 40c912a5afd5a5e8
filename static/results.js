// The results table: rows from the page's templates, counts, a filter, and a download as CSV.

import { announce, keepFocus, show } from "./answer.js";
import { csvOf } from "./csv.js";
import { percent } from "./percent.js";

const MAX_SHOWN = 500; // rows of the table; the download has all
const COLUMNS = ["number", "review", "verdict", "chance_of_positive", "note"];

/** Shows results as they arrive. `source` is {name, bytes}: a file's name or "", and the size of its text. */
export class ResultsTable {
  #results = []; // {number, review, label, score, note}
  #skipped = 0;
  #note = "";
  #judgedCharacters = 0;
  #filter = null; // a label, or null for all
  #source;
  #resume;
  #root;

  /** Replaces the page's answer. Calls `resume` and `cancel` when the user presses the buttons. */
  constructor(source, { resume, cancel }) {
    this.#source = source;
    show(document.getElementById("results").content.cloneNode(true));
    this.#root = document.querySelector("#answer .results");
    this.#on('[data-action="cancel-batch"]', cancel);
    this.#on('[data-action="download"]', () => this.#download());
    for (const button of this.#root.querySelectorAll("[data-filter]")) {
      button.disabled = false;
      button.addEventListener("click", () => this.#filterBy(button.dataset.filter));
    }
    this.#resume = resume;
  }

  /** Counts a blank review. */
  skip() {
    this.#skipped += 1;
  }

  /** Shows a note about the source of the reviews. */
  setNote(text) {
    this.#note = text;
  }

  /** Shows that judging has started. */
  start() {
    this.#part("progress").hidden = false;
    this.#part("problem").replaceChildren();
    announce("Judging.");
    keepFocus(this.#root.querySelector('[data-action="cancel-batch"]'));
  }

  /** Adds results ({review, label, score, note}) in order. */
  add(results) {
    for (const result of results) {
      this.#results.push({ ...result, number: this.#results.length + 1 });
      this.#judgedCharacters += result.review.length;
      this.#showRow(this.#results.at(-1));
    }
    this.#count();
  }

  /** Shows why judging stopped ({title, detail}), with a button to resume unless it is final. */
  pause({ title, detail, final }) {
    const panel = document.getElementById("stopped").content.cloneNode(true);
    panel.querySelector("h3").textContent = title;
    panel.querySelector(".detail").textContent = detail;
    const button = panel.querySelector("button");
    button.hidden = Boolean(final);
    button.addEventListener("click", this.#resume);
    this.#part("problem").replaceChildren(panel);
    this.#stop();
    keepFocus(final ? document.getElementById("answer") : button);
  }

  /** Shows that all reviews are judged. */
  finish() {
    this.#stop();
    keepFocus(document.getElementById("answer"));
    if (this.#results.length === 0) this.pause({ title: "There are no reviews", detail: "Every line is blank.", final: true });
    else announce(this.#summary());
  }

  #summary() {
    const counts = [...this.#counts()].map(([label, count]) => `${count} ${label === "error" ? "failed" : label}`);
    return `${this.#results.length} reviews: ${counts.join(", ")}.`;
  }

  #stop() {
    document.title = `${this.#results.length.toLocaleString("en")} reviews · Verdict`;
    this.#part("progress").hidden = true;
    this.#part("actions").hidden = this.#results.length === 0;
    this.#count();
  }

  #counts() {
    const counts = new Map();
    for (const { label } of this.#results) counts.set(label, (counts.get(label) ?? 0) + 1);
    return counts;
  }

  #count() {
    const counts = this.#counts();
    const done = this.#results.length;
    for (const button of this.#root.querySelectorAll("[data-filter]")) {
      button.querySelector("[data-count]").textContent = (counts.get(button.dataset.filter) ?? 0).toLocaleString("en");
    }
    this.#root.querySelector("[data-total]").textContent = done.toLocaleString("en");
    this.#part("progress-text").textContent = `${done.toLocaleString("en")} judged`;
    this.#root.querySelector("progress").value = Math.min(this.#judgedCharacters / Math.max(this.#source.bytes, 1), 1);
    const from = this.#source.name && `From ${this.#source.name}.`;
    const rows = this.#skipped === 1 ? "blank row" : "blank rows";
    const skipped = this.#skipped ? `${this.#skipped.toLocaleString("en")} ${rows} skipped.` : "";
    this.#part("source").textContent = [from, this.#note, skipped].filter(Boolean).join(" ");
    this.#showLimit(this.#filter ? (counts.get(this.#filter) ?? 0) : done);
  }

  #showLimit(matching) {
    const limit = `The first ${MAX_SHOWN} of ${matching.toLocaleString("en")} rows are shown; the download has all.`;
    this.#part("shown").textContent = matching > MAX_SHOWN ? limit : "";
  }

  #filterBy(label) {
    this.#filter = this.#filter === label ? null : label;
    for (const button of this.#root.querySelectorAll("[data-filter]")) {
      button.setAttribute("aria-pressed", button.dataset.filter === this.#filter);
    }
    this.#root.querySelector("tbody").replaceChildren();
    for (const result of this.#results) this.#showRow(result);
    this.#count();
  }

  #showRow(result) {
    const body = this.#root.querySelector("tbody");
    if ((this.#filter && result.label !== this.#filter) || body.rows.length >= MAX_SHOWN) return;
    const row = document.getElementById(`row-${result.label.replace(" ", "-")}`).content.cloneNode(true);
    const cells = { number: result.number, review: result.review, note: result.note, chance: percent(result.score) };
    for (const [name, text] of Object.entries(cells)) row.querySelector(`[data-cell="${name}"]`).textContent = text;
    body.append(row);
  }

  #download() {
    const rows = this.#results.map(({ number, review, label, score, note }) => [number, review, label, score ?? "", note]);
    const content = "\ufeff" + csvOf([COLUMNS, ...rows]); // the byte order mark makes spreadsheets read UTF-8
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
    link.download = "verdicts.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  #part(name) {
    return this.#root.querySelector(`[data-part="${name}"]`);
  }

  #on(selector, listener) {
    this.#root.querySelector(selector).addEventListener("click", listener);
  }
}
