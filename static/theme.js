// Applies the stored theme before the first paint; a classic script, because modules wait for the whole page.
try {
  const theme = localStorage.getItem("verdict-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is blocked: use the system's theme
}
