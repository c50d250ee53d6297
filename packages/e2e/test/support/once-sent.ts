/** Does something once, when a load has sent so many reports; `done` ends with it. */
export function onceSent(count: number, action: () => Promise<void>) {
  let begin = () => {};
  const done = new Promise<void>((resolve) => {
    begin = resolve;
  }).then(action);
  return {
    done,
    onProgress: (sent: number) => {
      if (sent === count) begin();
    },
  };
}
