// The page with JavaScript: answers without a reload, files, history and themes. Without JavaScript the form still works.

import { announce, showAnswer, showOffline, showProblem, submitForm } from "./answer.js";
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
    showCurlAndRemember(text);
  });
}

/** Judges the reviews of a source (see reading.js) into a table. */
function judgeSeveral(source) {
  running?.abort();
  document.getElementById("answer").removeAttribute("aria-busy");
  const table = new ResultsTable(source, { resume: run, cancel: () => running?.abort() });
  table.setNote(source.warnings.join(" "));
  const batch = new Batch(source.rows, table);
  function run() {
    return runExclusively((signal) => batch.run(signal));
  }
  return run();
}

/** Shows the curl command of a single review, and adds it to the history. */
function showCurlAndRemember(text) {
  const verdict = document.querySelector("#answer [data-label]");
  if (!verdict) return;
  showCurl({ review: text });
  const { label, score } = verdict.dataset; // no score if the model knows none of the words
  remember({ text, label, score: score ? Number(score) : null });
}

function showCurl(request) {
  const panel = part("curl", document.getElementById("answer"));
  panel.querySelector("code").textContent = curlCommand(request);
  panel.hidden = false;
}

async function submit() {
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
  box.value = text;
  several.checked = isSeveral;
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

const THEMES = ["auto", "light", "dark"];

function nextTheme(button) {
  const current = document.documentElement.dataset.theme ?? "auto";
  const next = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length];
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("verdict-theme", next);
  } catch {
    // storage is blocked: the choice is lost when the page closes
  }
  showTheme(button);
}

function showTheme(button) {
  button.querySelector("span").textContent = document.documentElement.dataset.theme ?? "auto";
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

const ACTIONS = {
  theme: nextTheme,
  copy: copyCommand,
  "clear-history": clearHistory,
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (button) ACTIONS[button.dataset.action]?.(button);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
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

part("file").hidden = false;
const themeButton = document.querySelector('[data-action="theme"]');
themeButton.hidden = false;
showTheme(themeButton);
showHistory((entry) => fillAndSubmit(entry.text, entry.several));
showCount();
