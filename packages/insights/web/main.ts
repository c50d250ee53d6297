import type { Extent } from "./answered-panel.js";
import { ask, askSettings, NoAnswer, type Parameters, rowsOf, type Settings } from "./api.js";
import { ChoiceBar } from "./choice-bar.js";
import { element } from "./element.js";
import { EmptyView } from "./empty-view.js";
import { formatFreshness, momentOf } from "./format.js";
import { InstanceView } from "./instance-view.js";
import type { Navigation } from "./navigation.js";
import { PublishView } from "./publish-view.js";
import { Stage } from "./stage.js";
import type { View } from "./view.js";
import { boundsOf, readState, START, type ViewState, writeState } from "./view-state.js";

/** How often the page asks anew while it is looked at, ms. */
const REFRESH_MS = 5_000;

const main = byId("main");
const freshness = byId("freshness");
const announcer = byId("announcer");

let state = readState(location.search);
let settings: Settings | null = null;
/** Whether all is shown that can be answered of where the page is. */
let isAnswered = false;
/** What the next refresh asks: of a time that is over, what is answered stays. */
let extent: Extent = "all";
/** Ends what is asked for where the page is. */
let leaving = new AbortController();

const navigation: Navigation = {
  addressOf: (change) => writeState({ ...state, ...change }),
  go: (change) => {
    const next: ViewState = { ...state, ...change };
    history.pushState(null, "", writeState(next));
    follow();
  },
};

const stage = new Stage(main);
const bar = new ChoiceBar(byId("choice"), navigation);
bar.take(state);

addEventListener("popstate", follow);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => stage.redraw());
document.addEventListener("click", (event) => {
  const link = (event.target as Element).closest<HTMLAnchorElement>('a[href^="/?"], a[href="/"]');
  if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0)
    return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  follow();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") follow();
});

void refreshForEver();

/** Goes where the address says, dropping what is still being asked for the place before. */
function follow(): void {
  state = readState(location.search);
  isAnswered = false;
  extent = "all";
  main.setAttribute("aria-busy", "true");
  leaving.abort();
  leaving = new AbortController();
}

/** Asks anew from time to time, and at once for another place. One refresh at a time: no answer comes behind a later one. */
async function refreshForEver(): Promise<never> {
  for (;;) {
    const left = leaving.signal;
    const isLive = state.range.kind === "last" || !isAnswered;
    if (document.visibilityState === "visible" && isLive) await refresh(left);
    await rest(left);
  }
}

/** Until the next refresh, or until this place is left. */
function rest(left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      left.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, REFRESH_MS);
    left.addEventListener("abort", end);
    if (left.aborted) end();
  });
}

async function refresh(left: AbortSignal): Promise<void> {
  try {
    const isShown = await showState(left);
    if (left.aborted) return;
    isAnswered = isShown;
    extent = state.range.kind === "last" ? "all" : "unanswered";
  } catch (error) {
    if (left.aborted) return;
    isAnswered = false;
    showProblem(error);
  }
}

/** Gives whether all is shown that can be answered. */
async function showState(left: AbortSignal): Promise<boolean> {
  settings ??= await askSettings(left);
  if (left.aborted) return false;
  bar.take(state);
  const surroundings = showSurroundings(settings, left);
  // Only who comes without an instance must wait for their list: it leads to the first.
  if (state.instance === null && !(await surroundings)) return false;
  if (left.aborted) return false;
  const view = setStage(settings);
  try {
    const isViewShown = await view.refresh(left, extent);
    if (left.aborted) return false;
    document.title = `${view.title()} – Push reports`;
    main.setAttribute("aria-busy", "false");
    return (await surroundings) && isViewShown;
  } finally {
    // Nothing of this refresh is under way when the next one begins.
    await surroundings;
  }
}

/** Shows how fresh the figures are and which instances there are. Gives whether both are answered. */
async function showSurroundings(told: Settings, left: AbortSignal): Promise<boolean> {
  try {
    const asked = [
      ask("instances", timeParameters(), told, left),
      ask("freshness", {}, told, left),
    ] as const;
    await Promise.allSettled(asked);
    const [instances, fresh] = await Promise.all(asked);
    if (left.aborted) return false;
    showFreshness(momentOf(rowsOf(fresh)[0]?.text("complete_to")));
    const rows = rowsOf(instances);
    const first = rows[0]?.text("instance_id");
    if (state.instance === null && first !== undefined) {
      state = { ...state, instance: first };
      history.replaceState(null, "", writeState(state));
    }
    bar.show(rows, state);
    return true;
  } catch (error) {
    if (!left.aborted) showProblem(error);
    return false;
  }
}

/** Shows the place that the state is at, without figures where it is new. */
function setStage(told: Settings): View {
  const { instance, publish, range } = state;
  const list = writeState({ ...START, instance, range });
  const place = instance === null ? "empty" : `${list} ${publish ?? ""}`;
  const isNew = !stage.isAt(place);
  const view = stage.show({
    place,
    isPartOfList: publish !== null,
    make: () => viewOf(state, told),
  });
  view.take(state);
  if (isNew)
    announcer.textContent = publish === null ? "Publishes of the instance" : `Publish ${publish}`;
  return view;
}

function viewOf({ instance, publish }: ViewState, told: Settings): View {
  if (instance === null) return new EmptyView(told.reportingUrl);
  if (publish !== null)
    return new PublishView(publish, () => ({ instance, publish }), navigation, told);
  const bounds = () => ({ instance, ...timeParameters() });
  return new InstanceView(state, bounds, navigation, told);
}

function timeParameters(): Parameters {
  const { from, to } = boundsOf(state.range, new Date());
  return { from: from.toISOString(), to: to.toISOString() };
}

function showFreshness(completeTo: Date | null): void {
  freshness.textContent =
    completeTo === null
      ? "Nothing received yet"
      : `Complete up to ${formatFreshness(completeTo, new Date())}`;
  if (completeTo !== null)
    freshness.title = `${completeTo.toISOString()}: every report that was received before can be seen here`;
}

function showProblem(error: unknown): void {
  const message =
    error instanceof NoAnswer ? error.message : "This page has a fault; its console says which.";
  if (!(error instanceof NoAnswer)) console.error(error);
  freshness.textContent = message;
  if (stage.isAt(null))
    main.replaceChildren(
      element(
        "section",
        { class: "panel" },
        element("h2", {}, "No figures"),
        element("p", {}, message),
      ),
    );
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found;
}
