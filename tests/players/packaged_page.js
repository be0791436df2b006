// Runs in a page after dash_page.js and what docs/speke.md gives to pages: `by_shaka` and `by_hls_js` are its settings, `tell` its
// words for refusals. Nothing here sets a license server.

const SettledShaka = shaka.Player;

/** Holds the whole programme, as it plays fast; a stall is to be seen, not to be skipped. */
shaka.Player = function Player() {
  const player = new SettledShaka();
  player.configure({ streaming: { bufferingGoal: 60, stallEnabled: false } });
  return player;
};

PLAYERS.Shaka = async ({ url }) => {
  shaka.polyfill.installAll();
  const player = await by_shaka(video, url, refused);
  return { live: () => player.isLive() };
};

PLAYERS["hls.js"] = async ({ url }) => {
  const hls = await by_hls_js(video, url, refused);
  hls.config.maxBufferLength = 60;
  return { live: () => hls.latestLevelDetails?.live ?? false };
};

/** The player has failed: what the page then shows, and what the player said. */
function refused(error) {
  tell(error);
  report.message = document.querySelector("#message").textContent;
  failed(`${error.code ?? error.details} ${JSON.stringify(error.data ?? error.response ?? error.message ?? null)}`.slice(0, 500));
}
