/** The page's script, in plain JavaScript: selects colours, and opens all details for printing. */
export const script = `
const root = document.documentElement;
const button = document.getElementById("theme");
const remembered = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
const systemDark = matchMedia("(prefers-color-scheme: dark)");
function show(theme) {
  if (theme) root.dataset.theme = theme;
  const dark = (root.dataset.theme ?? (systemDark.matches ? "dark" : "light")) === "dark";
  button.setAttribute("aria-pressed", String(dark));
}
button.addEventListener("click", () => {
  const theme = button.getAttribute("aria-pressed") === "true" ? "light" : "dark";
  show(theme);
  try { localStorage.setItem("theme", theme); } catch {}
});
systemDark.addEventListener("change", () => show());
show(remembered === "dark" || remembered === "light" ? remembered : undefined);
button.hidden = false;
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const each of opened) each.open = true;
});
addEventListener("afterprint", () => { for (const each of opened) each.open = false; });
`;
