// Modules do not load from a file, so this plain script says what to do instead.
if (location.protocol === "file:") {
  const notice = document.getElementById("notice");
  notice.textContent =
    "This map has to be served over http: run “butterflies serve site=…” on this folder, " +
    "or put the folder on any web host.";
  notice.hidden = false;
}
