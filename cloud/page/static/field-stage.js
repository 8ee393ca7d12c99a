// The picture itself: OpenSeadragon on the field's JPEG, with the page's own buttons.
import { why } from "./field-fetch.js";
import { byId, does, numbers, root } from "./field-page.js";

const { picture } = root.dataset;
const WIDTH = Number(root.dataset.width);
const HEIGHT = Number(root.dataset.height);
const AROUND = 2.4; // sides of its square that are shown of a cell that is gone to
const STEP = 1.4;
const MOVE = 0.15; // of what is in view
const AGAIN_MS = 5000;

const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const loaded = [];
let open = false;

// OpenSeadragon puts a style element of its own in, which the page's policy forbids, unless it finds one
// of this name: so it finds one, that is none to the browser.
const named = document.createElementNS("urn:leukoscope", "style");
named.setAttribute("data-openseadragon-mobile-css", "true");
document.head.append(named);

export const viewer = OpenSeadragon({
  element: byId("stage"),
  drawer: "canvas",
  showNavigationControl: false,
  tabIndex: -1, // the page's own keys move it
  animationTime: still ? 0 : 0.5,
  visibilityRatio: 1,
  minZoomImageRatio: 0.85,
  maxZoomPixelRatio: 5,
  gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
  gestureSettingsTouch: { dblClickToZoom: true },
  gestureSettingsPen: { clickToZoom: false },
});

export const isOpen = () => open;

export function onOpen(act) {
  loaded.push(act);
}

export function stage() {
  does({
    closer: () => zoom(STEP),
    wider: () => zoom(1 / STEP),
    whole: () => viewer.viewport.goHome(still),
  });
  viewer.addHandler("open", opened);
  viewer.addHandler("open-failed", failed);
  viewer.addHandler("canvas-key", (event) => (event.preventDefaultAction = true));
  load();
}

function load() {
  viewer.open({ type: "image", url: picture });
}

function opened() {
  open = true;
  byId("stage-said").hidden = true;
  for (const act of loaded) act();
}

async function failed() {
  const said = byId("stage-said");
  said.textContent = await why(picture);
  said.hidden = false;
  setTimeout(load, AGAIN_MS);
}

function zoom(by) {
  viewer.viewport.zoomBy(by, undefined, still).applyConstraints(still);
}

export function move(right, down) {
  const { width, height } = viewer.viewport.getBounds();
  viewer.viewport.panBy(new OpenSeadragon.Point(right * MOVE * width, down * MOVE * height), still);
  viewer.viewport.applyConstraints(still);
}

// A square of the field, in pixels, as OpenSeadragon counts.
export function rect([x, y, w, h]) {
  return viewer.viewport.imageToViewportRectangle(x, y, w, h);
}

export function goTo(n) {
  if (!open) return;
  const [x, y, side] = numbers(byId(`box-${n}`).dataset.square);
  const [shown, more] = [AROUND * side, ((AROUND - 1) * side) / 2];
  viewer.viewport.fitBoundsWithConstraints(rect([x - more, y - more, shown, shown]), still);
}

// How much of a square lies beside the field, of its side: above, to the right, below, to the left.
export function beside([x, y, side]) {
  return [-y, x + side - WIDTH, y + side - HEIGHT, -x].map((over) => Math.max(0, over / side));
}

// Where a box is on the screen, and how much of it is in view (0 to 1), of what lies in the field at all.
export function onScreen(n) {
  const [x, y, w, h] = within(numbers(byId(`box-${n}`).dataset.box));
  const at = viewer.viewport.viewportToViewerElementRectangle(rect([x, y, w, h]));
  const { clientWidth, clientHeight } = byId("stage");
  const wide = Math.max(0, Math.min(at.x + at.width, clientWidth) - Math.max(at.x, 0));
  const high = Math.max(0, Math.min(at.y + at.height, clientHeight) - Math.max(at.y, 0));
  return { size: Math.max(at.width, at.height), part: (wide * high) / (at.width * at.height) };
}

function within([x, y, w, h]) {
  const left = Math.max(0, x);
  const top = Math.max(0, y);
  return [left, top, Math.min(WIDTH, x + w) - left, Math.min(HEIGHT, y + h) - top];
}

