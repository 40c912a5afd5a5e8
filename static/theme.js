// Themes: applies the stored one before the first paint, so a classic script; modules wait for the whole page.
try {
  const theme = localStorage.getItem("verdict-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is blocked: use the system's theme
}

addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector('[data-action="theme"]');
  const themes = ["auto", "light", "dark"];
  const show = () => (button.querySelector("span").textContent = document.documentElement.dataset.theme ?? "auto");
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % themes.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("verdict-theme", next);
    } catch {
      // storage is blocked: the choice is lost when the page closes
    }
    show();
  });
});
