// What each pass says about itself, and the rows that say it.

/**
 * What each pass says about itself. `custody` names the place of each token; script can show only what it holds.
 */
export const PASSES = {
  cookie: {
    title: "Cookie",
    purpose: "For browser apps on one site. The browser keeps both tokens, and script sees neither.",
    "loot-words": "None to carry away. Injected script could act as you while the page is open, and no longer.",
    reload: "Survives a reload: the browser keeps the cookies.",
    custody: [
      ["access", "Access token", "sealed", "HttpOnly cookie", "hp_access"],
      ["refresh", "Refresh token", "sealed", "HttpOnly cookie", "hp_refresh · only to /auth"],
      ["csrf", "CSRF token", "readable", "Readable cookie", "hp_csrf · proves the page is ours"],
    ],
  },
  split: {
    title: "Split",
    purpose: "For browser apps with an API elsewhere. The short-lived half is in memory, the long-lived half sealed.",
    "loot-words": "One access token at most, and it ends when the count-down does. Renewing it takes the sealed half.",
    reload: "Survives a reload: one refresh brings a new access token.",
    custody: [
      ["access", "Access token", "memory", "Page memory", "sent as Authorization: Bearer"],
      ["refresh", "Refresh token", "sealed", "HttpOnly cookie", "hp_split_refresh · only to /split/auth"],
      ["csrf", "CSRF token", "readable", "Readable cookie", "hp_split_csrf · owed for a refresh"],
    ],
  },
  bearer: {
    title: "Bearer",
    purpose: "For mobile, desktop and services. The program keeps both tokens, and nothing travels by itself.",
    "loot-words": "Both tokens. But each refresh token works once, so an old copy gives its thief away.",
    reload: "Gone after a reload: both tokens are in this page’s memory and nowhere else.",
    custody: [
      ["access", "Access token", "memory", "Page memory", "sent as Authorization: Bearer"],
      ["refresh", "Refresh token", "memory", "Page memory", "sent in the JSON body"],
      ["csrf", "CSRF token", "none", "Not owed", "the browser adds nothing by itself"],
    ],
  },
};

/** One token: its name, its place, its text as far as script can see it, and a word more. */
export function custodyRow([token, label, place, placeLabel, detail]) {
  const row = document.createElement("div");
  row.className = "custody-row";
  const chip = piece("span", placeLabel, `chip chip-${place}`);
  const value = piece("span", "empty", "token");
  value.dataset.part = `${token}-value`;
  const where = document.createElement("dd");
  where.append(chip, value, piece("span", detail, "detail"));
  row.append(piece("dt", label), where);
  return row;
}

export function piece(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}
