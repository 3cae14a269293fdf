// Keeps a visitor's id, and hands over the secret of a host link, which stays neither in the address bar nor
// in the history. What follows "#" never reaches a server's log.
//
// The id is in a cookie, which the server knows from the first moment. In a frame of another site's page no
// such cookie is kept: there it is in the storage that the browser gives this frame.

export default function ({ data, setTriggerValue }) {
  const cookie = () =>
    Object.fromEntries(document.cookie.split("; ").map((text) => text.split("=")))[data.cookie];
  const known = cookie() ?? stored(data.cookie);
  if (!known) {
    document.cookie = `${data.cookie}=${data.id}; path=/; max-age=31536000; SameSite=Strict`;
    if (!cookie()) store(data.cookie, data.id);
  } else if (known !== data.id) setTriggerValue("id", known);
  const secret = new URLSearchParams(location.hash.slice(1)).get("host");
  if (secret === null) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  setTriggerValue("secret", secret);
}

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // the browser allows frames no storage
  }
}

function store(name, id) {
  try {
    localStorage.setItem(name, id);
  } catch {
    // then it is another visitor after every reload
  }
}
