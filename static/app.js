// The page with JavaScript: asks without a reload, keeps the text, remembers. Without it the form works by itself.

import { ask, showAnswer, showOffline } from "./answer.js";
import { Batch } from "./batch.js";
import { curlCommand } from "./curl.js";
import { clearHistory, remember, showHistory } from "./history.js";
import { linesOf, reviewsIn } from "./reading.js";
import { ResultsTable } from "./results.js";

const LONGEST_REVIEW = Number(document.body.dataset.longestReview); // code points
const MOST_REVIEWS = Number(document.body.dataset.mostReviews); // in one request
const LONGEST_REMEMBERED = 20_000; // characters of several reviews, for the history and for a command line
const form = document.getElementById("ask");
const box = document.getElementById("review");
const several = form.elements.several;
const submitButton = form.querySelector("button.main");
const filePicker = document.getElementById("file");
const part = (name, within = document) => within.querySelector(`[data-part="${name}"]`);

let running = null; // AbortController of what is being judged

/** Runs one thing at a time: a new one cancels the one before; the page is marked busy meanwhile. */
async function exclusively(work) {
  running?.abort();
  const controller = (running = new AbortController());
  setBusy(true);
  try {
    await work(controller.signal);
  } finally {
    if (running === controller) {
      running = null;
      setBusy(false);
    }
  }
}

function setBusy(busy) {
  submitButton.textContent = busy ? "Judging…" : "Judge it";
  submitButton.setAttribute("aria-disabled", busy);
}

function judgeOne() {
  const text = box.value;
  const place = document.getElementById("answer");
  return exclusively(async (signal) => {
    place.setAttribute("aria-busy", "true");
    const answer = await ask(form, signal);
    if (signal.aborted) return;
    place.removeAttribute("aria-busy");
    if (!answer) return showOffline();
    showAnswer(answer);
    noteAnswer(text);
  });
}

/** Judges `reviews(tell)`, an async iterable of texts that may tell something about them, into a table. */
function judgeSeveral(reviews, source) {
  running?.abort();
  document.getElementById("answer").removeAttribute("aria-busy");
  const table = new ResultsTable(source, { resume: run, cancel: () => running?.abort() });
  const batch = new Batch(reviews((text) => table.tell(text)), table);
  function run() {
    return exclusively((signal) => batch.run(signal));
  }
  return run();
}

/** After an answer to a single review: the command line that asks the same, and a line of history. */
function noteAnswer(text) {
  const verdict = document.querySelector("#answer [data-label]");
  if (!verdict) return;
  showCurl({ review: text });
  const { label, score } = verdict.dataset; // no score where it would rest on no known word
  remember({ text, label, score: score ? Number(score) : null });
}

function showCurl(question) {
  const panel = part("curl", document.getElementById("answer"));
  panel.querySelector("code").textContent = curlCommand(question);
  panel.hidden = false;
}

async function submit() {
  if (!several.checked) return judgeOne();
  const text = box.value;
  const reviews = text.split(/\r?\n/).filter((line) => line.trim());
  await judgeSeveral(() => linesOf([text]), { name: "", bytes: text.length });
  if (reviews.length > MOST_REVIEWS || text.length > LONGEST_REMEMBERED) return;
  showCurl({ reviews });
  remember({ text, several: true, label: `${reviews.length} reviews` });
}

function judgeFile(file) {
  filePicker.value = "";
  return judgeSeveral((tell) => reviewsIn(file, tell), { name: file.name, bytes: file.size });
}

function fillAndSubmit(text, isSeveral = false) {
  box.value = text;
  several.checked = isSeveral;
  count();
  return submit();
}

function count() {
  const counter = document.getElementById("counter");
  if (several.checked) {
    const lines = box.value.split(/\r?\n/).filter((line) => line.trim()).length;
    counter.textContent = `${lines.toLocaleString("en")} ${lines === 1 ? "review" : "reviews"}, one a line.`;
    return;
  }
  const length = [...box.value].length;
  const over = length > LONGEST_REVIEW ? " Only the first of them will be read." : "";
  counter.textContent = `${length.toLocaleString("en")} of ${LONGEST_REVIEW.toLocaleString("en")} characters.${over}`;
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
    // storage is blocked: the choice lasts as long as the page
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
    getSelection().selectAllChildren(code); // no permission: selected, ready for the copy key
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
form.addEventListener("input", count);
filePicker.addEventListener("change", () => filePicker.files[0] && judgeFile(filePicker.files[0]));
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
  const [file] = event.dataTransfer.files;
  if (!file) return;
  event.preventDefault();
  judgeFile(file);
});

part("file").hidden = false;
const themeButton = document.querySelector('[data-action="theme"]');
themeButton.hidden = false;
showTheme(themeButton);
showHistory((entry) => fillAndSubmit(entry.text, entry.several));
count();
