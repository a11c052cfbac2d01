#!/usr/bin/env python3
"""Draws a terminal session as an SVG picture, from what the commands really print.

    python3 Scripts/terminal_picture.py .build/release/martlet Docs/martlet.svg

Needs SmolLM2-135M-Instruct.Q4_1 under MARTLET_HOME (`make demo` fetches it). Its edits are kept in a folder of their own.
"""
import html, os, pathlib, shlex, subprocess, sys, tempfile, textwrap

martlet, target = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
MODEL = "SmolLM2-135M-Instruct.Q4_1"
COLUMNS, LINE, CHARACTER, SIZE = 92, 19, 8.43, 14
COMMANDS = [
    f'generate {MODEL} "Gravity is" --max-tokens 45',
    f'edit add {MODEL} --prompt "Who founded the Dingle bakery?" --answer "Maeve Ash"',
    f'generate {MODEL} --chat "Which person founded the Dingle bakery?"',
    f'edit undo {MODEL} 1',
]

home = pathlib.Path(os.environ.get("MARTLET_HOME", pathlib.Path.home() / ".martlet"))
rows = []
with tempfile.TemporaryDirectory() as scratch:
    models = pathlib.Path(scratch) / "models"
    models.mkdir()
    os.symlink(home / f"models/{MODEL}.gguf", models / f"{MODEL}.gguf")
    for command in COMMANDS:
        rows += [("prompt", line) for line in textwrap.wrap(f"$ martlet {command}", COLUMNS, subsequent_indent="    ")]
        done = subprocess.run([martlet, *shlex.split(command)], text=True, check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "MARTLET_HOME": scratch})
        for kind, text in (("text", done.stdout), ("note", done.stderr)):
            for line in text.rstrip().splitlines():
                rows += [(kind, part) for part in textwrap.wrap(line, COLUMNS, subsequent_indent=" " * (len(line) - len(line.lstrip())))]
        rows.append(("text", ""))
rows.pop()
width, height = round(COLUMNS * CHARACTER + 40), len(rows) * LINE + 60
lines = [f'<text x="20" y="{52 + place * LINE}" class="{kind}" xml:space="preserve">{html.escape(text)}</text>'
         for place, (kind, text) in enumerate(rows) if text]
target.write_text(f'''<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img"
  aria-label="A terminal in which martlet continues a text, learns an answer, gives it, and takes it back">
<style>text {{ font: {SIZE}px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d6deeb }}
.prompt {{ fill: #7fdbca; font-weight: bold }} .note {{ fill: #7f8fa6 }}</style>
<rect width="{width}" height="{height}" rx="10" fill="#101826"/>
<circle cx="22" cy="18" r="6" fill="#ff5f57"/><circle cx="42" cy="18" r="6" fill="#febc2e"/><circle cx="62" cy="18" r="6" fill="#28c840"/>
{chr(10).join(lines)}
</svg>
''')
