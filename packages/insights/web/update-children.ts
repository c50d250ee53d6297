/** Attribute by which an element is known again among others; without it, it is known by its place. */
const KEY = "data-key";

/**
 * Gives a parent other children, as `replaceChildren` does, but keeps the elements that are there already and changes only what
 * differs: what has the focus, is scrolled, marked or pointed at stays so. Listeners stay those of the element that is kept.
 */
export function updateChildren(parent: Element, ...next: readonly Node[]): void {
  const focused = document.activeElement;
  update(parent, next);
  // An element that was moved has lost the focus.
  if (focused instanceof HTMLElement && focused !== parent && parent.contains(focused))
    focused.focus({ preventScroll: true });
}

function update(parent: Element, next: readonly Node[]): void {
  const known = new Map([...parent.children].map((child) => [keyOf(child), child]));
  let place: ChildNode | null = parent.firstChild;
  for (const wanted of next) {
    const key = keyOf(wanted);
    const found: ChildNode | null = key === null ? place : (known.get(key) ?? null);
    if (found === null || !isAlike(found, wanted)) {
      parent.insertBefore(wanted, place);
      continue;
    }
    if (found === place) place = found.nextSibling;
    else parent.insertBefore(found, place);
    adopt(found, wanted);
  }
  while (place !== null) {
    const gone: ChildNode = place;
    place = gone.nextSibling;
    gone.remove();
  }
}

const keyOf = (node: Node) => (node instanceof Element ? node.getAttribute(KEY) : null);

const isAlike = (shown: Node, wanted: Node) =>
  shown.nodeName === wanted.nodeName && keyOf(shown) === keyOf(wanted);

function adopt(shown: Node, wanted: Node): void {
  if (!(shown instanceof HTMLElement && wanted instanceof HTMLElement)) {
    if (shown.nodeValue !== wanted.nodeValue) shown.nodeValue = wanted.nodeValue;
    return;
  }
  for (const name of shown.getAttributeNames())
    if (name !== "style" && !wanted.hasAttribute(name)) shown.removeAttribute(name);
  for (const name of wanted.getAttributeNames()) {
    const value = wanted.getAttribute(name) ?? "";
    if (name !== "style" && shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  }
  // No attribute: the page's security policy allows no styles in its text.
  if (shown.style.cssText !== wanted.style.cssText) shown.style.cssText = wanted.style.cssText;
  update(shown, [...wanted.childNodes]);
}
