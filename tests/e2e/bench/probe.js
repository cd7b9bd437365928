// A script that runs in a page before its own: it notes when things happen there.

/** To be given to `addInitScript` with the option `ready`, a selector. */
export function probe({ ready }) {
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
    if (frame.includes('"command":"say"')) probe.sent = now();
    return send.call(this, frame);
  };
  const listen = WebSocket.prototype.addEventListener;
  WebSocket.prototype.addEventListener = function (type, handler, ...rest) {
    if (type !== "message") return listen.call(this, type, handler, ...rest);
    return listen.call(this, type, (event) => {
      const at = now();
      for (const text of probe.texts) if (event.data.includes(text)) probe.heard.set(text, at);
      handler(event);
    }, ...rest);
  };
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
