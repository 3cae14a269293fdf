// Buttons outside the player that save its picture.

export default function ({ parentElement }) {
  for (const button of parentElement.querySelectorAll("[data-picture]"))
    button.onclick = () => document.querySelector(".pk-player").player.savePicture(button.dataset.picture);
}
