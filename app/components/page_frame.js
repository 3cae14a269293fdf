// What every page does in the browser beside its own components, and the styles in page.css.

const APP = "[data-testid='stApp']";
const MAIN = "[data-testid='stMainBlockContainer']";
const PARTS = "[data-testid='stMain'], [data-testid='stSidebar']";
const SCROLLING = ".katex-display, [data-testid='stMarkdownContainer']:has(> table)";

// --- A connection that comes back ---------------------------------------------------------------
// A server that was started anew knows nothing of a page that was open before: it would take the next
// click or change for the page's beginning, and lose it. So the script runs at once when the connection
// is back, and until it has answered nothing can be clicked.

const connected = () => document.querySelector(APP)?.dataset.testConnectionState === "CONNECTED";

function hold(held) {
  for (const part of document.querySelectorAll(PARTS)) part.inert = held;
}

function watchConnection(tell) {
  let lost = !connected();
  const watch = new MutationObserver(() => {
    if (connected() && lost) {
      hold(true);
      tell();
    }
    lost = !connected();
  });
  watch.observe(document.querySelector(APP), { attributeFilter: ["data-test-connection-state"] });
  return watch;
}

// --- What is wider than its place, and how wide the page is on paper ----------------------------

// What scrolls sideways can be reached by keyboard.
function findScrolling() {
  for (const node of document.querySelectorAll(SCROLLING)) {
    if (node.scrollWidth > node.clientWidth) node.tabIndex = 0;
    else node.removeAttribute("tabindex");
  }
}

// Charts keep the width that they were drawn with: paper shows the page as it is, at another scale.
function measure() {
  const main = document.querySelector(MAIN);
  if (!main || matchMedia("print").matches) return;
  const { paddingLeft, paddingRight } = getComputedStyle(main);
  const width = main.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  document.documentElement.style.setProperty("--pk-page-width", width);
}

function watchLayout() {
  let planned = null;
  const plan = () => {
    planned ??= setTimeout(() => {
      planned = null;
      findScrolling();
      measure();
    }, 200);
  };
  const main = document.querySelector("[data-testid='stMain']");
  const watch = new MutationObserver(plan);
  watch.observe(main, { childList: true, subtree: true });
  const resizing = new ResizeObserver(plan);
  resizing.observe(main);
  return { disconnect: () => [watch, resizing].forEach((one) => one.disconnect()) };
}

export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  const root = parentElement.querySelector(".pk-frame");
  if (data.plotly) loadPlotly(data.plotly).catch(() => {}); // what needs it says so
  hold(false); // called for every run of the script
  root.tell = () => setTriggerValue("back", true);
  root.watches ??= [watchConnection(() => root.tell()), watchLayout(), new GlossaryCard()];
  root.presenter ??= new Presenter();
  root.presenter.update(data.present, (on) => setStateValue("present", on));
  return () => {
    if (root.isConnected) return;
    for (const watch of [...root.watches, root.presenter]) watch.disconnect();
  };
}
