"""Your results in a browser: files are uploaded, compared, taken away; the address keeps none of it."""

from __future__ import annotations

from playwright.sync_api import expect


def test_two_files_are_uploaded_and_compared(visit):
    page = visit("/your-results", ready=False)
    expect(page.get_by_text("The curves cross")).to_be_visible()
    page.get_by_role("radio", name="Your files").click()
    chooser = page.get_by_test_id("stFileUploader")
    expect(chooser).to_have_count(2)
    for place, rows in enumerate(("a,4,4\nb,4,0\nc,4,0\n", "a,4,1\nb,4,1\nc,4,1\n")):
        text = b"problem,n,c\n" + rows.encode()
        chooser.nth(place).locator("input[type=file]").set_input_files(
            {"name": f"mine-{place}.csv", "mimeType": "text/csv", "buffer": text}
        )
        expect(page.locator(f"code:text-is('mine-{place}.csv')").first).to_be_visible()
    expect(page.get_by_text("Solved by one alone: 2 by the second, 0 by the first")).to_be_visible()
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    assert page.url.endswith("/your-results")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV, every k").click()
    assert download.value.path().read_text(encoding="utf-8").startswith("k,pass@k 1,")
