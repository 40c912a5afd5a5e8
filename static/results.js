// The table of many verdicts: rows from the page's own templates, counts, a filter, and a download as CSV.

import { announce, show } from "./answer.js";
import { csvOf } from "./csv.js";
import { percent } from "./percent.js";

const MOST_SHOWN = 500; // rows of the table; the download has all
const COLUMNS = ["number", "review", "verdict", "chance_of_positive", "note"];

/** Shows results as they come. `source` is {name, bytes}: a file's name or "", and how much there is to judge. */
export class ResultsTable {
  #results = []; // {number, review, label, score, note}
  #skipped = 0;
  #told = "";
  #judgedCharacters = 0;
  #filter = null; // a label, or null for all
  #source;
  #resume;
  #root;

  /** Takes the place of the page's answer. `resume` is called when the user wants to go on, `cancel` to stop. */
  constructor(source, { resume, cancel }) {
    this.#source = source;
    show(document.getElementById("results").content.cloneNode(true));
    this.#root = document.querySelector("#answer .results");
    this.#on('[data-action="cancel-batch"]', cancel);
    this.#on('[data-action="download"]', () => this.#download());
    for (const button of this.#root.querySelectorAll("[data-filter]")) {
      button.disabled = false;
      button.addEventListener("click", () => this.#choose(button.dataset.filter));
    }
    this.#resume = resume;
  }

  /** Counts a review that held nothing. */
  skip() {
    this.#skipped += 1;
  }

  /** Says something about where the reviews come from. */
  tell(text) {
    this.#told = text;
  }

  /** Says that judging goes on. */
  start() {
    this.#part("progress").hidden = false;
    this.#part("problem").replaceChildren();
    announce("Judging.");
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

  /** Shows why judging stopped ({title, detail}), with a way to go on unless it is final. */
  pause({ title, detail, final }) {
    const panel = document.getElementById("stopped").content.cloneNode(true);
    panel.querySelector("h3").textContent = title;
    panel.querySelector(".detail").textContent = detail;
    const button = panel.querySelector("button");
    button.hidden = Boolean(final);
    button.addEventListener("click", this.#resume);
    this.#part("problem").replaceChildren(panel);
    this.#rest();
  }

  /** Says that all is judged. */
  finish() {
    this.#rest();
    if (this.#results.length === 0) this.pause({ title: "There are no reviews in it", detail: "Every line was empty.", final: true });
    else announce(this.#summary());
  }

  #summary() {
    const counts = [...this.#counts()].map(([label, count]) => `${count} ${label === "error" ? "without an answer" : label}`);
    return `${this.#results.length} reviews: ${counts.join(", ")}.`;
  }

  #rest() {
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
    const skipped = this.#skipped ? `Empty ones left out: ${this.#skipped.toLocaleString("en")}.` : "";
    this.#part("source").textContent = [from, this.#told, skipped].filter(Boolean).join(" ");
    this.#tellShown(this.#filter ? (counts.get(this.#filter) ?? 0) : done);
  }

  #tellShown(matching) {
    const told = `The first ${MOST_SHOWN} of ${matching.toLocaleString("en")} are shown; the download has all.`;
    this.#part("shown").textContent = matching > MOST_SHOWN ? told : "";
  }

  #choose(label) {
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
    if ((this.#filter && result.label !== this.#filter) || body.rows.length >= MOST_SHOWN) return;
    const row = document.getElementById(`row-${result.label.replace(" ", "-")}`).content.cloneNode(true);
    const cells = { number: result.number, review: result.review, note: result.note, chance: percent(result.score) };
    for (const [name, text] of Object.entries(cells)) row.querySelector(`[data-cell="${name}"]`).textContent = text;
    body.append(row);
  }

  #download() {
    const rows = this.#results.map(({ number, review, label, score, note }) => [number, review, label, score ?? "", note]);
    const content = "\ufeff" + csvOf([COLUMNS, ...rows]); // the mark makes spreadsheets read UTF-8
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
