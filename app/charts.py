"""A figure on a page."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from app.components import page_frame
from pkpo.figures.style import enlarge_type

_BUTTONS = {
    "displaylogo": False,
    "modeBarButtons": [["toImage", "resetScale2d"]],
    "showTips": False,
}


def show_chart(
    figure: go.Figure, key: str, alt: str, height: int = 450, buttons: bool = True
) -> None:
    """Draw a figure as wide as the page, or wider than a narrow one if it has panels side by side.

    Args:
      figure: what to draw; its own height, if it has one, counts.
      key: names the figure on the page; it keeps its zoom as long as the key stays.
      alt: what it says, in words.
      height: in pixels.
      buttons: whether it can be saved as an image and zoomed back.
    """
    if page_frame.is_presenting():
        figure = enlarge_type(figure)
    panels = len({axis.domain for axis in figure.select_xaxes()})
    with st.container(key=f"panels-{panels}-{key}"):  # see page.css
        st.plotly_chart(
            figure,
            key=key,
            theme=None,
            height=figure.layout.height or height,
            config=_BUTTONS if buttons else {"displayModeBar": False},
            alt=alt,
        )
