#!/usr/bin/env python3
"""Holds `martlet host` against what others wrote (needs pip's jsonschema, prometheus-client; downloads SARIF's schema
inside PyPI's sarif-om):

  Scripts/check_host.py .build/release/martlet DATA/host
"""
import csv, glob, json, os, re, subprocess, sys, tarfile, tempfile

import jsonschema
from prometheus_client.parser import text_string_to_metric_families

martlet, data = sys.argv[1:3]
here = os.path.dirname(os.path.abspath(__file__))
folder = tempfile.mkdtemp()
subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", folder,
                "sarif-om"], check=True)
archive = tarfile.open(glob.glob(folder + "/sarif_om*.tar.gz")[0])
name = next(n for n in archive.getnames() if re.search(r"sarif-2\.1\.0.*\.json$", n))
sarif = jsonschema.Draft7Validator(json.load(archive.extractfile(name)))
own = jsonschema.Draft202012Validator(json.load(open(here + "/../Docs/host-report.schema.json")))
files = [None] + sorted(glob.glob(data + "/cpuinfo/*.txt") + glob.glob(data + "/snp/*.bin"))
expected = {row["file"]: row for row in csv.DictReader(open(data + "/cpuinfo/expected.tsv"), delimiter="\t")}


def run(path, *options):
    arguments = [martlet, "host", *options] + (["--input", path] if path else [])
    return subprocess.run(arguments, capture_output=True, text=True)


for path in files:
    for explain in ([], ["--explain"]):
        result = run(path, "--json", *explain)
        report = json.loads(result.stdout)
        own.validate(report)
        assert result.returncode == report["exit_code"], path
    if path and os.path.basename(path) in expected:
        row, (reptar, cachewarp) = expected[os.path.basename(path)], report["results"]
        assert (reptar["status"], reptar["confidence"], reptar["reason"]) == (
            row["reptar_status"], row["reptar_confidence"], row["reptar_reason"]), path
        assert (cachewarp["status"], cachewarp["exposure"], cachewarp["reason"]) == (
            row["cachewarp_status"], row["cachewarp_exposure"], row["cachewarp_reason"]), path
    sarif.validate(json.loads(run(path, "--sarif").stdout))
    families = {f.name: f for f in text_string_to_metric_families(run(path, "--prometheus").stdout)}
    assert len(families["martlet_host_flaw_status"].samples) == 2
    nagios = run(path, "--nagios")
    assert re.match(r"HOST (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]*\| reptar=\d;0;1;0;3 cachewarp=\d;0;1;0;3\n", nagios.stdout), nagios.stdout
print(f"{len(files)} machines: JSON and SARIF follow their schemas, Prometheus and Nagios can be read, "
      f"{len(expected)} verdicts are as expected")
