"""The class: who is in the room, what is asked, what was answered."""
