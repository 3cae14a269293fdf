// Keeps a visitor's id in a cookie, and hands over the secret of a host link, which stays neither in the
// address bar nor in the history. What follows "#" never reaches a server's log.

export default function ({ data, setTriggerValue }) {
  const cookies = Object.fromEntries(document.cookie.split("; ").map((text) => text.split("=")));
  const known = cookies[data.cookie];
  if (!known) document.cookie = `${data.cookie}=${data.id}; path=/; max-age=31536000; SameSite=Strict`;
  else if (known !== data.id) setTriggerValue("id", known);
  const secret = new URLSearchParams(location.hash.slice(1)).get("host");
  if (secret === null) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  setTriggerValue("secret", secret);
}
