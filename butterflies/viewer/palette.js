// Colours of the dots, the most frequent value first. Chosen to differ in lightness as well as in
// hue, so that those next to each other in the legend stay apart with a colour-vision deficiency.

export const COLOURS = [
  "#2a5caa", "#e07f10", "#12876a", "#c0343f", "#7b51a8",
  "#58b2de", "#7d5230", "#d56aa6", "#96a21c", "#14345c",
  "#e3b31a", "#5d1235", "#4fb37c", "#a78dd3", "#0a6274",
  "#ea8b78", "#4b4f1d", "#3f3bb0", "#b07a1e", "#c58fb0",
];
export const OTHER = "#a8a39b";
export const UNKNOWN = "#cbc7bf";
export const QUIET = "#e1ded8";

export const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
