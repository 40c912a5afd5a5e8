// The dialog in which the user chooses the column of the reviews from a preview of the file's first rows.

const MAX_CELL_LENGTH = 120; // characters of a cell in the preview
const LONG_CELL = 40; // characters
const PREVIEW_ROWS = 3;
let closeOpen = () => {}; // cancels the dialog that is open

/**
 * Returns {column, hasHeader} as the user chooses, or null if the user cancels. Opening another dialog cancels this one.
 *
 * The preview has `name` (of the file), `columns` (names or null), `rows` (lists of cells, the header first if there may be
 * one), the suggested `column` and `hasHeader`, `canHaveHeader`, and `warnings` (texts). Focus returns to where it was.
 */
export function chooseColumn(preview) {
  closeOpen();
  const dialog = document.getElementById("picker").content.cloneNode(true).querySelector("dialog");
  const form = dialog.querySelector("form");
  const part = (name) => dialog.querySelector(`[data-part="${name}"]`);
  part("name").textContent = preview.name;
  part("warnings").replaceChildren(...preview.warnings.map((warning) => element("li", warning)));
  part("header").hidden = !preview.canHaveHeader || preview.columns !== null;
  form.elements.header.checked = preview.hasHeader;
  const choice = () => ({ column: Number(form.elements.column.value), hasHeader: form.elements.header.checked });
  const fill = (column) => {
    const [header, rows] = divided(preview, form.elements.header.checked);
    const width = Math.max(...preview.rows.map((cells) => cells.length));
    part("columns").replaceChildren(...columnCells(header, width, column));
    part("rows").replaceChildren(...rows.slice(0, PREVIEW_ROWS).map((cells) => rowOf(cells, width)));
  };
  fill(preview.column);
  form.elements.header.addEventListener("change", () => fill(choice().column));
  return shown(dialog, form, part("cancel"), choice);
}

function shown(dialog, form, cancel, choice) {
  const before = document.activeElement;
  document.body.append(dialog);
  return new Promise((resolve) => {
    const close = (result) => {
      dialog.remove();
      before?.focus();
      resolve(result);
    };
    closeOpen = () => dialog.isConnected && close(null);
    cancel.addEventListener("click", () => close(null));
    dialog.addEventListener("close", () => dialog.isConnected && close(null)); // the Escape key
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      close(choice());
    });
    dialog.showModal();
    form.elements.column.length === undefined ? form.elements.column.focus() : [...form.elements.column].find(({ checked }) => checked)?.focus();
  });
}

/** Returns the names of the columns or null, and the rows below them. */
function divided({ columns, canHaveHeader, rows }, hasHeader) {
  if (!canHaveHeader) return [columns, rows];
  return hasHeader ? [rows[0], rows.slice(1)] : [null, rows];
}

function columnCells(header, width, chosen) {
  return Array.from({ length: width }, (_, place) => {
    const cell = element("th", "");
    cell.scope = "col";
    const label = element("label", "");
    const radio = element("input", "");
    Object.assign(radio, { type: "radio", name: "column", value: place, required: true, checked: place === chosen });
    label.append(radio, ` ${header?.[place]?.trim() || `Column ${place + 1}`}`);
    cell.append(label);
    return cell;
  });
}

function rowOf(cells, width) {
  const row = element("tr", "");
  row.append(...Array.from({ length: width }, (_, place) => cellOf(cells[place] ?? "")));
  return row;
}

function cellOf(text) {
  const cell = element("td", shortened(text));
  cell.classList.toggle("long", text.length > LONG_CELL);
  cell.dir = "auto";
  return cell;
}

function shortened(text) {
  return text.length > MAX_CELL_LENGTH ? `${text.slice(0, MAX_CELL_LENGTH)}…` : text;
}

function element(name, text) {
  return Object.assign(document.createElement(name), { textContent: text });
}
