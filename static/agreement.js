// The comparison of verdicts with the labels of a file.

/** Returns the label of a result's row by the source's scale: "positive", "negative" or null. */
export function labelOf(result, { scale, labelColumn }) {
  return scale && labelColumn !== null ? scale.labelOf(result.fields?.[labelColumn]) : null;
}

/** Returns whether a verdict contradicts the label of its row. */
export function disagrees(result, source) {
  const label = labelOf(result, source);
  return Boolean(label) && ["positive", "negative"].includes(result.label) && result.label !== label;
}

/** Returns the counts of labels and verdicts, {positive: {positive, negative, "not sure"}, negative: {...}}; null without labels. */
export function confusion(results, source) {
  const counts = { positive: {}, negative: {} };
  let labelled = 0;
  for (const result of results) {
    const label = labelOf(result, source);
    if (!label || result.label === "error") continue;
    labelled += 1;
    counts[label][result.label] = (counts[label][result.label] ?? 0) + 1;
  }
  return labelled ? counts : null;
}

/** Returns the accuracy of the sure verdicts as a sentence. */
export function accuracySentence(counts, { columns, labelColumn, scale }) {
  const of = (label, verdict) => counts[label][verdict] ?? 0;
  const right = of("positive", "positive") + of("negative", "negative");
  const wrong = of("positive", "negative") + of("negative", "positive");
  const unsure = of("positive", "not sure") + of("negative", "not sure");
  const name = columns?.[labelColumn] ?? `column ${labelColumn + 1}`;
  const sure = right + wrong;
  const share = sure ? `${((100 * right) / sure).toFixed(1)}% of ${sure.toLocaleString("en")} sure verdicts agree with` : "No verdict can be compared with";
  return `${share} “${name}” (${scale.description}). ${unsure.toLocaleString("en")} ${unsure === 1 ? "is" : "are"} not sure.`;
}
