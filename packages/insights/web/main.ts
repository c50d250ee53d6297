import { ask, NoAnswer, type Parameters, rowsOf } from "./api.js";
import { showChoice } from "./choice-bar.js";
import { element } from "./element.js";
import { EmptyView } from "./empty-view.js";
import { formatTime, momentOf } from "./format.js";
import { InstanceView, type Navigation } from "./instance-view.js";
import { PublishView } from "./publish-view.js";
import type { View } from "./view.js";
import { boundsOf, readState, type ViewState, writeState } from "./view-state.js";

/** How often the page asks anew while it is looked at, ms. */
const REFRESH_MS = 5_000;

const main = byId("main");
const choice = byId("choice");
const freshness = byId("freshness");
const announcer = byId("announcer");

let state = readState(location.search);
let view: View | null = null;
/** What the view was made for. */
let shown: string | null = null;
let leaving = new AbortController();
let reportingUrl = "http://localhost:8080";

const navigation: Navigation = {
  addressOf: (change) => writeState({ ...state, ...change }),
  go: (change) => {
    const next: ViewState = { ...state, ...change };
    history.pushState(null, "", writeState(next));
    void follow();
  },
};

addEventListener("popstate", () => void follow());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view?.redraw());
document.addEventListener("click", (event) => {
  const link = (event.target as Element).closest<HTMLAnchorElement>('a[href^="/?"], a[href="/"]');
  if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0)
    return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  if (link.closest("table.publishes tbody, nav.back, #home") !== null) scrollTo(0, 0);
  void follow();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void follow();
});

await loadSettings();
void refreshForEver();

/** Goes where the address says, dropping what is still being asked for the place before. */
async function follow(): Promise<void> {
  leaving.abort();
  leaving = new AbortController();
  state = readState(location.search);
  await refresh(leaving.signal);
}

async function refreshForEver(): Promise<never> {
  for (;;) {
    const isLive = state.range.kind === "last" || shown === null;
    if (document.visibilityState === "visible" && isLive) await refresh(leaving.signal);
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
  }
}

async function refresh(left: AbortSignal): Promise<void> {
  try {
    await showState(left);
  } catch (error) {
    if (left.aborted) return;
    showProblem(error);
  }
}

async function showState(left: AbortSignal): Promise<void> {
  const bounds = timeParameters();
  const [instances, fresh] = await Promise.all([
    ask("instances", bounds, left),
    ask("freshness", {}, left),
  ]);
  if (left.aborted) return;
  showFreshness(momentOf(rowsOf(fresh)[0]?.text("complete_to")));
  const rows = rowsOf(instances);
  const first = rows[0]?.text("instance_id");
  if (state.instance === null && first !== undefined) {
    state = { ...state, instance: first };
    history.replaceState(null, "", writeState(state));
  }
  showChoice(choice, rows, state, navigation);
  const address = state.instance === null ? "empty" : writeState(state);
  if (address !== shown) replaceView(viewOf(state), address);
  await view?.refresh(left);
  if (!left.aborted) main.setAttribute("aria-busy", "false");
}

function viewOf({ instance, publish }: ViewState): View {
  if (instance === null) return new EmptyView(reportingUrl);
  if (publish !== null) return new PublishView(publish, () => ({ instance, publish }), navigation);
  return new InstanceView(state, () => ({ instance, ...timeParameters() }), navigation);
}

/** Keeps what has the focus, so that sorting or searching by keyboard goes on where it was. */
function replaceView(next: View, address: string): void {
  const focused = document.activeElement as HTMLElement | null;
  const key = focused?.dataset["focus"];
  const caret =
    focused instanceof HTMLInputElement && focused.type === "search"
      ? focused.selectionStart
      : null;
  view?.destroy();
  view = next;
  shown = address;
  main.replaceChildren(next.element);
  const again = key === undefined ? null : main.querySelector<HTMLElement>(`[data-focus="${key}"]`);
  again?.focus();
  if (again instanceof HTMLInputElement && caret !== null) again.setSelectionRange(caret, caret);
  announcer.textContent =
    state.publish === null ? "Publishes of the instance" : `Publish ${state.publish}`;
}

function timeParameters(): Parameters {
  const { from, to } = boundsOf(state.range, new Date());
  return { from: from.toISOString(), to: to.toISOString() };
}

function showFreshness(completeTo: Date | null): void {
  freshness.textContent =
    completeTo === null ? "Nothing received yet" : `Complete up to ${formatTime(completeTo)}`;
  if (completeTo !== null)
    freshness.title = `${completeTo.toISOString()}: every report that was received before can be seen here`;
}

function showProblem(error: unknown): void {
  const message =
    error instanceof NoAnswer ? error.message : "This page has a fault; its console says which.";
  if (!(error instanceof NoAnswer)) console.error(error);
  freshness.textContent = message;
  if (view === null)
    main.replaceChildren(
      element(
        "section",
        { class: "panel" },
        element("h2", {}, "No figures"),
        element("p", {}, message),
      ),
    );
}

async function loadSettings(): Promise<void> {
  const response = await fetch("/api/settings").catch(() => null);
  if (response?.ok === true)
    reportingUrl = ((await response.json()) as { reportingUrl: string }).reportingUrl;
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found;
}
