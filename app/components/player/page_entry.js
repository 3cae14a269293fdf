// The player on a page of the app: what the page sends, and what it hears back.

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pk-player");
  root.player ??= new Player(root);
  const { controls } = root.player;
  if (!controls.isBehind(data.controls)) {
    root.player.load(data);
    controls.show(data.controls, data.routes, (settings) => setTriggerValue("settings", settings));
  }
  clearInterval(root.waiting);
  const arrive = () => {
    if (!location.pathname.endsWith(`/${data.awaited}`)) return;
    clearInterval(root.waiting);
    setTriggerValue("arrival", true);
  };
  if (data.awaited) root.waiting = setInterval(arrive, 50);
  return () => {
    if (root.isConnected) return;
    clearInterval(root.waiting);
    root.player.close();
  };
}
