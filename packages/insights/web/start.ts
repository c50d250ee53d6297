/** Until the page is loaded anew when a part of it did not come, ms. */
const AGAIN_MS = 3_000;

/*
 * A browser gives up what it is loading when its machine's network changes (Chromium: net::ERR_NETWORK_CHANGED), and does not ask for a lost
 * module again by itself: without this the page would stay empty for ever.
 */
import("./main.js").catch((error: unknown) => {
  console.error(error);
  const freshness = document.getElementById("freshness");
  if (freshness !== null)
    freshness.textContent = "A part of this page did not come. It is loaded again by itself.";
  setTimeout(() => location.reload(), AGAIN_MS);
});
