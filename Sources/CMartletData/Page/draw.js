// A drawing is measured by the served model, and comes back from the measurements alone. No request leaves the server's origin.

import { $, element } from "./dom.js";
import { keep, startTheme } from "./theme.js";
import { call } from "./server.js";

let model = null; // what the server says of its model
let strokes = []; // lists of points in the field, [x, y] from 0 to 1
let isRunning = false, isWanted = false;
const field = $("drawing"), pen = field.getContext("2d", { willReadFrequently: true });

startTheme();
const key = localStorage.getItem("martlet.key");
if (key !== null) $("key").value = key;
$("key").addEventListener("change", () => { keep("martlet.key", $("key").value); begin(); });

function tell(problem) {
  $("problem").textContent = problem ?? "";
  $("problem").hidden = !problem;
}

// ---- the field

function drawField() {
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, field.width, field.height);
  Object.assign(pen, { strokeStyle: "#fff", lineWidth: field.width * 0.08, lineCap: "round", lineJoin: "round" });
  for (const stroke of strokes) {
    pen.beginPath();
    stroke.forEach(([x, y], place) => {
      if (place === 0) pen.moveTo(x * field.width, y * field.height);
      pen.lineTo(x * field.width, y * field.height);
    });
    pen.stroke();
  }
}

function changed() {
  drawField();
  isWanted = true;
  show();
}

function place(event) {
  const box = field.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}
field.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  field.setPointerCapture(event.pointerId);
  strokes.push([place(event)]);
  changed();
});
field.addEventListener("pointermove", (event) => {
  if (!field.hasPointerCapture(event.pointerId) || strokes.length === 0) return;
  strokes[strokes.length - 1].push(place(event));
  changed();
});
$("clear").addEventListener("click", () => { strokes = []; changed(); });
$("example").addEventListener("click", () => {
  const bow = (middle, from, to) => Array.from({ length: 16 }, (_, step) => {
    const angle = (from + (to - from) * step / 15) * Math.PI;
    return [0.46 + 0.19 * Math.cos(angle), middle + 0.17 * Math.sin(angle)];
  });
  strokes = [[...bow(0.33, -0.85, 0.5), ...bow(0.67, -0.5, 0.85)]];
  changed();
});
$("noise").addEventListener("input", () => {
  $("noise-value").textContent = Math.round($("noise").value * 100) + " %";
  isWanted = true;
  show();
});

// ---- pixels as the images of training have them

// The ink fits into 20/28 of the sides and has its centre of mass in the middle, as digits of MNIST do.
function pixels() {
  const { height, width } = model;
  const ink = pen.getImageData(0, 0, field.width, field.height).data;
  let [left, top, right, bottom] = [field.width, field.height, -1, -1];
  for (let y = 0; y < field.height; y++) {
    for (let x = 0; x < field.width; x++) {
      if (ink[4 * (y * field.width + x)] < 16) continue;
      left = Math.min(left, x); right = Math.max(right, x); top = Math.min(top, y); bottom = Math.max(bottom, y);
    }
  }
  const empty = new Array(height * width).fill(0);
  if (right < 0) return empty;
  const [across, down] = [right - left + 1, bottom - top + 1];
  const scale = Math.min(height, width) * 20 / 28 / Math.max(across, down);
  const put = (x, y) => {
    const canvas = element("canvas");
    Object.assign(canvas, { width, height });
    const brush = canvas.getContext("2d", { willReadFrequently: true });
    Object.assign(brush, { imageSmoothingEnabled: true, imageSmoothingQuality: "high" });
    brush.drawImage(field, left, top, across, down, x, y, across * scale, down * scale);
    const data = brush.getImageData(0, 0, width, height).data;
    return empty.map((_, at) => data[4 * at] / 255 * (data[4 * at + 3] / 255));
  };
  const [x, y] = [(width - across * scale) / 2, (height - down * scale) / 2];
  const first = put(x, y), mass = first.reduce((sum, value) => sum + value, 0);
  if (mass === 0) return first;
  const middle = (size, index) => (size - 1) / 2 - first.reduce((sum, value, at) => sum + value * index(at), 0) / mass;
  return put(x + Math.round(middle(width, (at) => at % width)), y + Math.round(middle(height, (at) => Math.floor(at / width))));
}

function paint(canvas, values) {
  Object.assign(canvas, { width: model.width, height: model.height });
  const brush = canvas.getContext("2d"), image = brush.createImageData(model.width, model.height);
  values.forEach((value, at) => {
    const shade = Math.round(value * 255);
    image.data.set([shade, shade, shade, 255], 4 * at);
  });
  brush.putImageData(image, 0, 0);
}

// ---- numbers

// Bars from the middle line, as long as their values beside the largest.
function showNumbers(values) {
  const most = Math.max(...values.map(Math.abs), 1e-9), width = 100 / values.length;
  $("numbers").replaceChildren(...values.map((value, at) => {
    const bar = element("i"), height = 48 * Math.abs(value) / most;
    bar.style.cssText = `left:${at * width}%;width:${width * 0.8}%;height:${height}%;top:${value > 0 ? 50 - height : 50}%`;
    bar.title = value.toPrecision(4);
    return bar;
  }));
}

// Normal noise, as large beside what the drawing adds to the measurements of an empty field as the slider says. It stays the same
// while a drawing grows, so that the picture does not flicker.
let draws = [];
function noisy(values, share) {
  if (share === 0) return values;
  while (draws.length < values.length) {
    draws.push(Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
  }
  const size = Math.sqrt(values.reduce((sum, value, at) => sum + (value - model.empty[at]) ** 2, 0) / values.length);
  return values.map((value, at) => value + share * size * draws[at]);
}

// ---- the way there and back

async function show() {
  if (!model || isRunning || !isWanted) return;
  [isRunning, isWanted] = [true, false];
  try {
    const original = pixels();
    paint($("original"), original);
    const measured = (await call("POST", "martlet/sensing/measurements", { pixels: original })).measurements;
    const numbers = noisy(measured, Number($("noise").value));
    showNumbers(numbers);
    // Nothing but the numbers is sent.
    const answer = await call("POST", "martlet/sensing/image", { measurements: numbers, path: model.has_latent_path });
    paint($("recovered"), answer.pixels);
    const squares = answer.pixels.reduce((sum, value, at) => sum + (value - original[at]) ** 2, 0);
    const signalToNoise = squares === 0 ? "∞" : (-10 * Math.log10(squares / original.length)).toFixed(1);
    $("recovered-caption").textContent =
      `What comes back, in ${(answer.seconds * 1000).toFixed(1)} ms: ${signalToNoise} dB, L2 ${(2 * Math.sqrt(squares)).toFixed(2)}.`;
    showPath(answer.path);
    tell(null);
    $("status").textContent = "Recovered.";
  } catch (problem) {
    tell(problem.message);
  }
  isRunning = false;
  // What was drawn meanwhile.
  if (isWanted) show();
}

function showPath(path) {
  $("path-part").hidden = !path;
  $("path").replaceChildren(...(path ?? []).map((step) => {
    const figure = element("figure"), canvas = element("canvas");
    paint(canvas, step.pixels);
    figure.append(canvas, element("figcaption", "", `${step.step}: ${step.measurement_error.toPrecision(3)}`));
    return figure;
  }));
}

const methods = {
  regression: "a network from the numbers to the pixels", dcs: "deep compressed sensing", csgm: "a search in the latent space of an autoencoder",
  unrolled: "unrolled proximal gradient descent",
};

async function begin() {
  try {
    const found = await call("GET", "martlet/sensing");
    const nothing = { pixels: new Array(found.height * found.width).fill(0) };
    found.empty = (await call("POST", "martlet/sensing/measurements", nothing)).measurements;
    model = found;
    $("model").textContent = `${model.measurements} numbers · ${model.method}`;
    $("what").textContent = `Of ${model.height}x${model.width} = ${model.height * model.width} pixels, ${model.measurements} numbers are `
      + `taken; each is a mixture of all pixels. The drawing comes back from these numbers alone, by ${methods[model.method] ?? model.method}, `
      + `which was trained on ${model.data}. It recovers what looks like the images of its training.`;
    $("numbers-caption").textContent = `The ${model.measurements} numbers: all that is known of the drawing.`;
    $("original-caption").textContent = `As it is measured: ${model.height}x${model.width} pixels.`;
    isWanted = true;
    tell(null);
    show();
  } catch (problem) {
    $("model").textContent = "";
    tell(problem.message);
  }
}

drawField();
begin();
