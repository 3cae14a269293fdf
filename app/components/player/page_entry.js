// The player on a page of the app: what the page sends, and what it hears back.

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pk-player");
  root.player ??= new Player(root);
  root.address ??= new ViewAddress(root.player);
  const { controls } = root.player;
  if (!controls.isBehind(data.controls)) {
    root.player.load(data, false, root.address.begin(data.view));
    controls.show(data.controls, data.routes, (settings) => setTriggerValue("settings", settings));
  }
  if (data.view) (root.link ??= new LinkCard(root.player, root.address)).route = data.routes.link;
  root.address.plan(); // the page may have written settings in place of all
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
    root.address.close();
    root.player.close();
  };
}
