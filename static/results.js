// The results of many reviews: counts, shares, filter, search, order, agreement with labels, and a download as CSV.

import { accuracySentence, confusion, disagrees } from "./agreement.js";
import { announce, keepFocus, show } from "./answer.js";
import { csvOf, downloadName, recordsOf } from "./csv.js";
import { percent } from "./percent.js";

const MAX_SHOWN = 500; // rows of the table; the download has all
const MAX_SKIPPED_LINES = 10; // that are named
const LONG_REVIEW = 240; // characters; a longer review can be opened
const MAX_LINK_LENGTH = 2_000; // characters of a review in a link
const ORDERS = {
  file: () => 0,
  unsure: (one, other) => distance(one) - distance(other),
  positive: (one, other) => (other.score ?? -1) - (one.score ?? -1),
  negative: (one, other) => (one.score ?? 2) - (other.score ?? 2),
};

function distance({ score }) {
  return score === null ? 1 : Math.abs(score - 0.5);
}

/** Formats a number and its noun: `1 review`, `2,000 reviews`. */
function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Shows results as they arrive. `source` is that of reading.js. */
export class ResultsTable {
  #results = []; // {file, line, review, fields, label, score, note}
  #skipped = []; // lines of blank reviews
  #note = "";
  #filter = null; // a label, "disagreement", or null for all
  #source;
  #resume;
  #root;

  /** Replaces the page's answer. Calls `resume` and `cancel` when the user presses the buttons. */
  constructor(source, { resume, cancel }) {
    this.#source = source;
    this.#resume = resume;
    show(document.getElementById("results").content.cloneNode(true));
    this.#root = document.querySelector("#answer .results");
    this.#part("table-tools").hidden = false;
    this.#on('[data-action="cancel-batch"]', "click", cancel);
    this.#on('[data-action="download"]', "click", () => this.#download());
    this.#on('[data-part="sort"]', "change", () => this.#draw());
    this.#on('[data-part="search"]', "input", () => this.#draw());
    for (const button of this.#root.querySelectorAll("[data-filter]")) {
      button.disabled = false;
      button.addEventListener("click", () => this.#filterBy(button.dataset.filter));
    }
  }

  /** Counts a blank review. */
  skip({ line }) {
    this.#skipped.push(line);
  }

  /** Shows a note about the source of the reviews. */
  setNote(text) {
    this.#note = text;
  }

  /** Shows that judging has started. */
  start() {
    document.title = "Judging… · Verdict";
    this.#part("progress").hidden = false;
    this.#clearProblem();
    announce("Judging.");
  }

  /** Adds results ({file, line, review, fields, label, score, note}) in order. */
  add(results) {
    this.#results.push(...results);
    const isPlain = this.#part("sort").value === "file";
    if (isPlain) for (const result of results) this.#showRow(result);
    else this.#draw();
    this.#count();
  }

  /** Shows why judging stopped ({title, detail}), with a button to resume unless it is final. */
  pause(problem) {
    const button = this.#showProblem(problem);
    button.addEventListener("click", this.#resume);
    this.#stop();
    document.title = `${problem.title} · Verdict`;
    keepFocus(problem.final ? document.getElementById("answer") : button);
  }

  /** Shows a problem and counts down to the next try; returns when it is time, the user resumes, or the signal aborts. */
  async countDown(problem, seconds, signal) {
    const button = this.#showProblem(problem);
    const clock = this.#part("countdown");
    announce(`${problem.title}. Resuming in ${counted(seconds, "second")}.`);
    await new Promise((resolve) => {
      let left = seconds;
      const tick = () => {
        clock.textContent = `Resuming in ${counted(left, "second")}.`;
        if (left === 0) finish();
        left -= 1;
      };
      const timer = setInterval(tick, 1000);
      const finish = () => {
        clearInterval(timer);
        resolve();
      };
      button.addEventListener("click", finish);
      signal.addEventListener("abort", finish);
      tick();
    });
    this.#clearProblem();
  }

  /** Shows that all reviews are judged. */
  finish() {
    this.#stop();
    keepFocus(document.getElementById("answer"));
    if (this.#results.length === 0) this.pause({ title: "There are no reviews", detail: "Every line is blank.", final: true });
    else announce(this.#summary());
  }

  #showProblem({ title, detail, final }) {
    const panel = document.getElementById("stopped").content.cloneNode(true);
    panel.querySelector("h3").textContent = title;
    panel.querySelector(".detail").textContent = detail;
    const button = panel.querySelector("button");
    button.hidden = Boolean(final);
    this.#part("problem").replaceChildren(panel);
    return button;
  }

  #clearProblem() {
    this.#part("problem").replaceChildren();
    keepFocus(this.#root.querySelector('[data-action="cancel-batch"]'));
  }

  #summary() {
    const counts = [...this.#counts()].map(([label, count]) => `${count} ${label === "error" ? "failed" : label}`);
    return `${counted(this.#results.length, "review")}: ${counts.join(", ")}.`;
  }

  #stop() {
    document.title = `${counted(this.#results.length, "review")} · Verdict`;
    this.#part("progress").hidden = true;
    this.#part("actions").hidden = this.#results.length === 0;
    this.#count();
    this.#showAgreement();
  }

  #counts() {
    const counts = new Map();
    for (const { label } of this.#results) counts.set(label, (counts.get(label) ?? 0) + 1);
    return counts;
  }

  #count() {
    const counts = this.#counts();
    const done = this.#results.length;
    for (const button of this.#root.querySelectorAll("[data-count]")) {
      button.textContent = (counts.get(button.closest("[data-filter]").dataset.filter) ?? 0).toLocaleString("en");
    }
    this.#root.querySelector("h2").textContent = counted(done, "review");
    this.#showShares(counts, done);
    this.#showProgress(done);
    const from = this.#source.name && `From ${this.#source.name}.`;
    this.#part("source").textContent = [from, this.#note, this.#skippedNote()].filter(Boolean).join(" ");
    this.#showLimit(this.#matching().length);
  }

  #skippedNote() {
    if (this.#skipped.length === 0) return "";
    const lines = this.#skipped.slice(0, MAX_SKIPPED_LINES).map((line) => line.toLocaleString("en"));
    const more = this.#skipped.length > MAX_SKIPPED_LINES ? ", …" : "";
    return `${counted(this.#skipped.length, "blank row")} skipped (${lines.length === 1 ? "line" : "lines"} ${lines.join(", ")}${more}).`;
  }

  #showShares(counts, done) {
    let start = 0;
    for (const bar of this.#root.querySelectorAll("[data-share]")) {
      const share = done ? (100 * (counts.get(bar.dataset.share) ?? 0)) / done : 0;
      bar.setAttribute("x", `${start}%`);
      bar.setAttribute("width", `${share}%`);
      start += share;
    }
  }

  #showProgress(done) {
    const { count } = this.#source;
    const total = count ? ` of ${count.toLocaleString("en")}` : "";
    this.#part("progress-text").textContent = `${done.toLocaleString("en")}${total} judged`;
    const bar = this.#root.querySelector("progress");
    if (count) bar.value = Math.min((done + this.#skipped.length) / count, 1);
    else bar.removeAttribute("value");
  }

  #showLimit(matching) {
    const limit = `The first ${MAX_SHOWN} of ${matching.toLocaleString("en")} rows are shown; the download has all.`;
    this.#part("shown").textContent = matching > MAX_SHOWN ? limit : "";
  }

  #showAgreement() {
    const counts = confusion(this.#results, this.#source);
    if (!counts) return;
    this.#part("agreement").hidden = false;
    this.#part("accuracy").textContent = accuracySentence(counts, this.#source);
    for (const cell of this.#root.querySelectorAll("[data-confusion]")) {
      const [label, verdict] = cell.dataset.confusion.split("/");
      cell.textContent = (counts[label][verdict] ?? 0).toLocaleString("en");
    }
  }

  #filterBy(filter) {
    this.#filter = this.#filter === filter ? null : filter;
    for (const button of this.#root.querySelectorAll("[data-filter]")) {
      button.setAttribute("aria-pressed", button.dataset.filter === this.#filter);
    }
    this.#draw();
  }

  #isMatch(result) {
    if (this.#filter === "disagreement" && !disagrees(result, this.#source)) return false;
    if (this.#filter && this.#filter !== "disagreement" && result.label !== this.#filter) return false;
    return result.review.toLowerCase().includes(this.#part("search").value.trim().toLowerCase());
  }

  #matching() {
    return this.#results.filter((result) => this.#isMatch(result));
  }

  #draw() {
    this.#root.querySelector("tbody.rows").replaceChildren();
    const order = ORDERS[this.#part("sort").value];
    for (const result of this.#matching().sort(order).slice(0, MAX_SHOWN)) this.#showRow(result);
    this.#count();
  }

  #showRow(result) {
    const body = this.#root.querySelector("tbody.rows");
    if (body.rows.length >= MAX_SHOWN || !this.#isMatch(result)) return;
    const row = document.getElementById(`row-${result.label.replace(" ", "-")}`).content.cloneNode(true);
    const cells = { number: result.line.toLocaleString("en"), review: result.review, note: result.note, chance: percent(result.score) };
    for (const [name, text] of Object.entries(cells)) row.querySelector(`[data-cell="${name}"]`).textContent = text;
    row.querySelector(".bar .fill").setAttribute("width", `${100 * (result.score ?? 0)}%`);
    this.#addRowTools(row, result.review);
    body.append(row);
  }

  #addRowTools(row, review) {
    const [quote, open, link] = ['[data-cell="review"]', '[data-action="open-row"]', "a"].map((each) => row.querySelector(each));
    open.hidden = review.length <= LONG_REVIEW;
    open.addEventListener("click", () => {
      const isOpen = quote.classList.toggle("open");
      open.textContent = isOpen ? "Show less" : "Show all";
      open.setAttribute("aria-expanded", isOpen);
    });
    link.hidden = review.length > MAX_LINK_LENGTH;
    link.href = new URL(`#review=${encodeURIComponent(review)}`, document.baseURI).href;
  }

  #download() {
    const content = "\ufeff" + csvOf(recordsOf(this.#results, this.#source)); // the mark makes spreadsheets read UTF-8
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
    link.download = downloadName(this.#source.name);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  #part(name) {
    return this.#root.querySelector(`[data-part="${name}"]`);
  }

  #on(selector, event, listener) {
    this.#root.querySelector(selector).addEventListener(event, listener);
  }
}
