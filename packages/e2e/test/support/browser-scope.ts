/** What a test uses of a page and of a service worker; the tests are checked with Node.js' own types, which have no browser. */
export interface BrowserScope extends EventTarget {
  readonly navigator: {
    readonly serviceWorker: {
      register(url: string, options: { type: "module" }): Promise<unknown>;
      readonly ready: Promise<unknown>;
    };
  };
  readonly registration: { getNotifications(): Promise<readonly ShownNotification[]> };
  readonly NotificationEvent: new (
    type: string,
    init: { readonly notification: ShownNotification },
  ) => Event;
  readonly indexedDB: { open(name: string): OpenRequest };
}

/** A notification that the web SDK shows. */
interface ShownNotification {
  readonly data: { readonly pusher: { readonly pusherMetadata: { readonly publishId: string } } };
}

interface Request {
  onsuccess: (value: unknown) => void;
  onerror: (error: unknown) => void;
}

interface OpenRequest extends Request {
  readonly result: {
    transaction(
      store: string,
      mode: "readwrite",
    ): { objectStore(store: string): { put(value: object): Request } };
    close(): void;
  };
}
