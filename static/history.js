// What was asked in this browser: kept here only, the last twenty, as long as the browser lets us.

import { percent } from "./percent.js";

const KEY = "verdict-history";
const MOST = 20;
const LONGEST_KEPT = 20_000; // characters of one text

let entries = stored();
let choose = () => {};

function stored() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((entry) => typeof entry?.text === "string").slice(0, MOST) : [];
  } catch {
    return []; // blocked, or not ours: start afresh
  }
}

function store() {
  try {
    localStorage.setItem(KEY, JSON.stringify(entries));
  } catch {
    // blocked or full: the list lasts as long as the page
  }
}

/** Adds an entry ({text, label, score, several}) at the top; asking the same again moves it up. */
export function remember(entry) {
  if (!entry.text) return;
  const kept = { ...entry, text: entry.text.slice(0, LONGEST_KEPT) };
  entries = [kept, ...stored().filter(({ text }) => text !== kept.text)].slice(0, MOST);
  store();
  draw();
}

/** Forgets everything. */
export function clearHistory() {
  entries = [];
  store();
  draw();
  document.getElementById("review").focus();
}

/** Shows the list; `chosen` is called with the entry whose button is pressed. */
export function showHistory(chosen) {
  choose = chosen;
  draw();
}

function draw() {
  document.querySelector('[data-part="history"]').hidden = entries.length === 0;
  document.querySelector('[data-part="history-list"]').replaceChildren(...entries.map(item));
}

function item(entry) {
  const line = document.getElementById("history-item").content.cloneNode(true);
  line.querySelector("li").className = String(entry.label).replace(" ", "-");
  line.querySelector(".tag").textContent = named(entry);
  line.querySelector(".quote").textContent = entry.text;
  line.querySelector("button").addEventListener("click", () => choose(entry));
  return line;
}

function named({ label, score }) {
  const name = String(label).charAt(0).toUpperCase() + String(label).slice(1);
  if (!Number.isFinite(score)) return name;
  return `${name} ${percent(label === "negative" ? 1 - score : score)}`;
}
