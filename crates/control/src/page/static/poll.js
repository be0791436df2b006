// Repeated requests: one at a time, none while the page is hidden, none after its part has been left.

/** Runs `update` every so many milliseconds until the signal; `failed` gets the errors. */
export function poll(signal, milliseconds, update, failed) {
  let timer = 0;
  let running = false;
  const next = () => {
    clearTimeout(timer);
    if (!signal.aborted && !document.hidden) timer = setTimeout(run, milliseconds);
  };
  const run = async () => {
    if (running || signal.aborted || document.hidden) return;
    running = true;
    try {
      await update();
    } catch (error) {
      if (!signal.aborted) failed(error);
    } finally {
      running = false;
      next();
    }
  };
  // What is seen again must not be old.
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : run()), { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  next();
}
