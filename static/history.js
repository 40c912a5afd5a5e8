// The history: the last twenty reviews, stored in this browser only.

import { percent } from "./percent.js";

const KEY = "verdict-history";
const MAX_ENTRIES = 20;
const MAX_LENGTH = 20_000; // characters of one text

let entries = stored();
let select = () => {};

function stored() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((entry) => typeof entry?.text === "string").slice(0, MAX_ENTRIES) : [];
  } catch {
    return []; // storage is blocked, or its content is invalid
  }
}

function store() {
  try {
    localStorage.setItem(KEY, JSON.stringify(entries));
  } catch {
    // storage is blocked or full: the list is lost when the page closes
  }
}

/** Adds an entry ({text, label, score, several}) at the top, in place of an earlier entry with the same text. */
export function remember(entry) {
  if (!entry.text) return;
  const kept = { ...entry, text: entry.text.slice(0, MAX_LENGTH) };
  entries = [kept, ...stored().filter(({ text }) => text !== kept.text)].slice(0, MAX_ENTRIES);
  store();
  draw();
}

/** Clears the history. */
export function clearHistory() {
  entries = [];
  store();
  draw();
  document.getElementById("review").focus();
}

/** Shows the history; `onSelect` is called with the selected entry. */
export function showHistory(onSelect) {
  select = onSelect;
  draw();
}

function draw() {
  document.querySelector('[data-part="history"]').hidden = entries.length === 0;
  document.querySelector('[data-part="history-list"]').replaceChildren(...entries.map(item));
}

function item(entry) {
  const line = document.getElementById("history-item").content.cloneNode(true);
  line.querySelector("li").className = String(entry.label).replace(" ", "-");
  line.querySelector(".tag").textContent = labelOf(entry);
  line.querySelector(".quote").textContent = entry.text;
  line.querySelector("button").addEventListener("click", () => select(entry));
  return line;
}

function labelOf({ label, score }) {
  const name = String(label).charAt(0).toUpperCase() + String(label).slice(1);
  if (!Number.isFinite(score)) return name;
  return `${name} ${percent(label === "negative" ? 1 - score : score)}`;
}
