/** Until the page is loaded anew when a part of it did not come, ms. */
const AGAIN_MS = 3_000;

/*
 * A browser gives up what it is loading when its machine's network changes (Chromium: net::ERR_NETWORK_CHANGED), and does not ask for a lost
 * module again by itself: without this the page would stay empty for ever. It stands before the page's own script, whose element hears of a
 * module that is lost; a fault in a script that came is no matter of an element.
 */
addEventListener(
  "error",
  ({ target }) => {
    if (!(target instanceof HTMLScriptElement)) return;
    const freshness = document.getElementById("freshness");
    if (freshness !== null)
      freshness.textContent = "A part of this page did not come. It is loaded again by itself.";
    setTimeout(() => location.reload(), AGAIN_MS);
  },
  true,
);
