// What is put into a page before its own scripts. It notes when what happens in the page
// happens, and can hand frames to it in the bridge's place.

/** To be given to `addInitScript` with the options `lines` and `ready`. */
export function probe({ lines, ready }) {
  const now = () => performance.timeOrigin + performance.now();
  const probe = { handlers: [], heard: new Map(), seen: new Map(), texts: new Set() };
  window.probe = probe;

  // When what is waited for is in the page, since the navigation began.
  probe.ready = new Promise((found) => {
    const look = new MutationObserver(() => {
      const element = document.querySelector(ready);
      if (!element || element.disabled) return;
      look.disconnect();
      found(performance.now());
    });
    look.observe(document, { childList: true, subtree: true });
  });

  // When each text that was announced stands in the conversation.
  new MutationObserver(() => {
    for (const text of probe.texts) {
      for (const article of document.querySelectorAll("article")) {
        if (!article.textContent.includes(text)) continue;
        probe.seen.set(text, now());
        probe.texts.delete(text);
      }
    }
  }).observe(document, { childList: true, subtree: true, characterData: true });

  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (frame) {
    if (frame.startsWith('{"say"')) probe.sent = now();
    return send.call(this, frame);
  };
  const listen = WebSocket.prototype.addEventListener;
  WebSocket.prototype.addEventListener = function (type, handler, ...rest) {
    if (type !== "message") return listen.call(this, type, handler, ...rest);
    let first = true;
    probe.tell = (frame) => handler(new MessageEvent("message", { data: JSON.stringify(frame) }));
    return listen.call(this, type, (event) => {
      if (first && lines) {
        first = false;
        const view = JSON.parse(event.data);
        const filled = JSON.stringify(fill(view, lines));
        probe.release = () => handler(new MessageEvent("message", { data: filled }));
        probe.held?.();
        return;
      }
      const at = now();
      for (const text of probe.texts) if (event.data.includes(text)) probe.heard.set(text, at);
      handler(event);
    }, ...rest);
  };
  probe.holds = new Promise((held) => (probe.held = held));

  /** A view with so many messages, of two who take turns. */
  function fill(frame, count) {
    const view = frame.view ?? frame;
    view.lines = Array.from({ length: count }, (_, id) => ({ message: probe.message(id + 1) }));
    return frame;
  }

  probe.message = (id) => ({
    id,
    at: 1795348841000 + id * 1000,
    from: { name: id % 2 ? "bob" : "carol", address: `127.77.0.${1 + (id % 2)}`, check: "confirmed" },
    text: `Message ${id}: shall we meet at noon, at the corner?`,
    deliveries: null,
  });

  /** Types a text into the composer and presses Enter; when. */
  probe.say = async (text) => {
    const field = document.querySelector("#composer");
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await probe.frame();
    probe.texts.add(text);
    const pressed = now();
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    return { pressed, sent: probe.sent };
  };

  /** Waits until a text that was announced stands there; when it was heard and seen. */
  probe.hear = async (text) => {
    while (!probe.seen.has(text)) await probe.frame();
    return { heard: probe.heard.get(text), seen: probe.seen.get(text) };
  };

  probe.frame = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
}
