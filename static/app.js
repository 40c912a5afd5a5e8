// The page with JavaScript: answers without a reload, files, history and themes. Without JavaScript the form still works.

import { announce, isNoResponse, keepFocus, post, showAnswer, showOffline, showProblem, submitForm } from "./answer.js";
import { Batch } from "./batch.js";
import { curlCommand } from "./curl.js";
import { clearHistory, remember, showHistory } from "./history.js";
import { chooseColumn } from "./picker.js";
import { ReadingError, openSource, textSource } from "./reading.js";
import { ResultsTable } from "./results.js";

const MAX_REVIEW_LENGTH = Number(document.body.dataset.maxReviewLength); // code points
const MAX_REVIEWS = Number(document.body.dataset.maxReviews); // in one request
const MAX_REMEMBERED_LENGTH = 20_000; // characters of several reviews, for the history and the curl command
const form = document.getElementById("predict");
const box = document.getElementById("review");
const several = form.elements.several;
const submitButton = form.querySelector("button.main");
const filePicker = document.getElementById("file");
const part = (name, within = document) => within.querySelector(`[data-part="${name}"]`);

let running = null; // AbortController of the current request
let batchRuns = false;

/** Returns whether a batch is running, which a new task would discard; then the page says so. */
function isBusy() {
  part("busy").textContent = batchRuns ? "Many reviews are being judged. Stop that first, or wait until it is done." : "";
  return batchRuns;
}

/** Runs one task at a time: a new task aborts the previous one. The page is marked busy while it runs. */
async function runExclusively(task) {
  running?.abort();
  const controller = (running = new AbortController());
  setBusy(true);
  try {
    await task(controller.signal);
  } finally {
    if (running === controller) {
      running = null;
      setBusy(false);
    }
  }
}

function setBusy(busy) {
  submitButton.setAttribute("aria-disabled", busy);
  showSubmitLabel();
}

function showSubmitLabel() {
  if (running) submitButton.textContent = "Judging…";
  else submitButton.textContent = several.checked && reviewLines().length > 0 ? `Judge ${reviewCount()}` : "Judge";
}

function reviewLines() {
  return box.value.split(/\r?\n/).filter((line) => line.trim());
}

/** Returns the number of reviews in the box: `1 review`, `2 reviews`. */
function reviewCount() {
  const count = reviewLines().length;
  return `${count.toLocaleString("en")} ${count === 1 ? "review" : "reviews"}`;
}

function judgeOne() {
  const text = box.value;
  const place = document.getElementById("answer");
  return runExclusively(async (signal) => {
    place.setAttribute("aria-busy", "true");
    const answer = await submitForm(form, signal);
    if (signal.aborted) return;
    place.removeAttribute("aria-busy");
    if (!answer) return showOffline();
    showAnswer(answer);
    showTools(text);
    keepFocus(place);
  });
}

/** Judges the reviews of a source (see reading.js) into a table. */
function judgeSeveral(source) {
  running?.abort();
  document.getElementById("answer").removeAttribute("aria-busy");
  const table = new ResultsTable(source, { resume: run, cancel: () => running?.abort() });
  table.setNote(source.warnings.join(" "));
  const batch = new Batch(source.rows, table);
  async function run() {
    batchRuns = true;
    try {
      await runExclusively((signal) => batch.run(signal));
    } finally {
      batchRuns = false;
      isBusy();
    }
  }
  return run();
}

/** Shows what can be done with the verdict on a single review, and adds it to the history. */
function showTools(text) {
  const verdict = document.querySelector("#answer [data-label]");
  if (!verdict) return;
  showCurl({ review: text });
  part("answer-actions").hidden = false;
  part("json").hidden = false;
  part("json").addEventListener("toggle", () => showJson(text), { once: true });
  keepAnswer(text);
  const { label, score } = verdict.dataset; // no score if the model knows none of the words
  remember({ text, label, score: score ? Number(score) : null });
}

/** Keeps the answer in this entry of the browser's history, for a reload or Back; the address loses a shared review. */
function keepAnswer(text) {
  const state = { text, answer: document.getElementById("answer").innerHTML, title: document.title };
  try {
    history.replaceState(state, "", location.href.replace(/#.*/, ""));
  } catch {
    // the answer is too long for the browser's limit: it is lost when the page closes
  }
}

/** Judges the review that the address's fragment holds, if any; returns whether there is one. */
function judgeSharedReview() {
  const shared = new URLSearchParams(location.hash.slice(1)).get("review");
  if (shared) fillAndSubmit(shared);
  return Boolean(shared);
}

/** Shows the verdict as the API returns it. */
async function showJson(review) {
  const code = part("json").querySelector("code");
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  try {
    const response = await post({ headers, body: JSON.stringify({ review }) }, new AbortController().signal);
    code.textContent = JSON.stringify(await response.json(), null, 2);
  } catch (error) {
    if (!isNoResponse(error)) throw error;
    code.textContent = "The site cannot be reached.";
  }
}

/** Shows the answer that this entry of the browser's history had, after a reload or Back. */
function restoreAnswer({ text, answer, title }) {
  box.value = text;
  document.title = title;
  const page = new DOMParser().parseFromString(answer, "text/html");
  document.getElementById("answer").replaceChildren(...page.body.childNodes);
  part("json").addEventListener("toggle", () => showJson(text), { once: true });
}

function showCurl(request) {
  const panel = part("curl", document.getElementById("answer"));
  panel.querySelector("code").textContent = curlCommand(request);
  panel.hidden = false;
}

async function submit() {
  if (isBusy()) return;
  if (!several.checked) return judgeOne();
  const text = box.value;
  const reviews = reviewLines();
  await judgeSeveral(textSource(text));
  if (reviews.length > MAX_REVIEWS || text.length > MAX_REMEMBERED_LENGTH) return;
  showCurl({ reviews });
  remember({ text, several: true, label: `${reviews.length} reviews` });
}

let latestFiles = null; // the files that were chosen or dropped last: only they are judged

/** Judges the reviews of files, once they are checked and their column is known. */
async function judgeFiles(files) {
  if (isBusy()) return;
  latestFiles = files;
  announce("Reading the file.");
  let source = null;
  try {
    source = await openSource(files, { chooseColumn });
  } catch (error) {
    if (!(error instanceof ReadingError)) throw error;
    if (files === latestFiles) showProblem({ title: "This file cannot be used", detail: error.message });
  }
  if (files !== latestFiles) return;
  filePicker.value = ""; // the same file can be chosen again
  if (source) await judgeSeveral(source);
}

function fillAndSubmit(text, isSeveral = false) {
  if (isBusy()) return;
  box.value = text;
  several.checked = isSeveral;
  if (isSeveral) several.closest("details").open = true;
  showCount();
  return submit();
}

function showCount() {
  const counter = document.getElementById("counter");
  showSubmitLabel();
  if (several.checked) {
    counter.textContent = `${reviewCount()}, one per line.`;
    return;
  }
  const length = [...box.value].length;
  const over = length > MAX_REVIEW_LENGTH ? " The rest will not be read." : "";
  counter.textContent = `${length.toLocaleString("en")} of ${MAX_REVIEW_LENGTH.toLocaleString("en")} characters.${over}`;
}

async function copyCommand(button) {
  const code = button.closest("details").querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(code); // no permission: select it for the user to copy
    button.textContent = "Selected: press Ctrl+C to copy";
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    part("copied").textContent = "Copied.";
  } catch {
    part("copied").textContent = "The browser does not allow copying.";
  }
}

/** Copies the verdict as text. */
function copyResult() {
  const line = (selector) => document.querySelector(`#answer ${selector}`).textContent.trim();
  return copy(`${line("h2").replace(/^\W+/, "")}: ${line(".lead")}\n\n${box.value}`);
}

/** Copies a link whose fragment holds the review: browsers do not send it to any server. */
function copyLink() {
  return copy(new URL(`#review=${encodeURIComponent(box.value)}`, document.baseURI).href);
}

function clearForm() {
  if (isBusy()) return;
  running?.abort();
  box.value = "";
  history.replaceState(null, "", document.baseURI);
  document.title = "Verdict";
  document.getElementById("answer").replaceChildren();
  showCount();
  box.focus();
}

/** Shows the effect of the word under the pointer or with the focus. */
function showNote({ target }) {
  const mark = target.closest?.(".reading mark");
  if (mark) part("mark-note").textContent = mark.title;
}

function fillSeveral() {
  const lines = [...document.querySelectorAll("#examples button")].map((button) => button.value);
  fillAndSubmit(lines.join("\n"), true);
}

const ACTIONS = {
  "several-example": fillSeveral,
  clear: clearForm,
  "copy-result": copyResult,
  "copy-link": copyLink,
  copy: copyCommand,
  "clear-history": clearHistory,
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (button) ACTIONS[button.dataset.action]?.(button);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const ignored = event.submitter === submitButton && submitButton.getAttribute("aria-disabled") === "true";
  if (!ignored) submit();
});
document.getElementById("examples").addEventListener("submit", (event) => {
  event.preventDefault();
  fillAndSubmit(event.submitter.value);
});
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
form.addEventListener("input", showCount);
filePicker.addEventListener("change", () => filePicker.files.length > 0 && judgeFiles([...filePicker.files]));
addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  const files = [...event.dataTransfer.files];
  if (files.length === 0) return;
  event.preventDefault();
  judgeFiles(files);
});

for (const name of ["click", "focusin", "mouseover"]) document.addEventListener(name, showNote);
for (const element of [part("file"), part("shortcut"), ...form.querySelectorAll('[data-action="clear"], [data-action="several-example"]')]) element.hidden = false;
showHistory((entry) => fillAndSubmit(entry.text, entry.several));
showCount();

addEventListener("hashchange", judgeSharedReview);
if (!judgeSharedReview() && history.state?.answer) restoreAnswer(history.state);
