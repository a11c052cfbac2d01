#!/usr/bin/env python3
"""Writes Sources/CMartletData/HostTables from a folder of host data: Scripts/host_tables.py DATA/host

Every row names its sources (keys explained in the file's head) and a date; `martlet host --explain` prints them.
"""
import collections, csv, json, re, sys

data, out = sys.argv[1], "Sources/CMartletData/HostTables/"


def write(name, version, date, sources, columns, rows):
    with open(out + name, "w") as file:
        print(f"# version {version}\n# date {date}", file=file)
        for key, text in sources.items():
            print(f"# source {key} {text}", file=file)
        for row in [columns] + rows:
            assert all("\t" not in str(value) for value in row)
            print("\t".join(str(value) for value in row), file=file)


INTEL_LIST = "Intel_affected_processor_list.csv of intel/Intel-affected-processor-list, all 17 snapshots 2024-03-13..2026-02-10 (71c2859), 0BSD"
HEADERS = "headers of every blob in tags microcode-20190312..20251111 of intel/Intel-Linux-Processor-Microcode-Data-Files"
NOTES = "releasenote.md of intel/Intel-Linux-Processor-Microcode-Data-Files, section microcode-20231114"
CHECKER = "speed47/spectre-meltdown-checker 34c6095 (2024-08-04)"
HISTORY = "file names in the git history of platomav/CPUMicrocodes"

# Reptar
reptar = json.load(open(data + "/reptar_affected.json"))
rows = []
for row in reptar["rows"]:
    note = row["note"] or ""
    listed = row["intel_list_2026_02"]
    first_public = "first public revision" in note
    conservative = "conservative floor" in note or first_public
    keys = []
    if listed in ("MCU", "Not Affected"):
        keys.append("intel-list")
    if row["fixed_build_date"]:
        keys.append("headers")
    if row["fixed_release"] == "20231114":
        keys.append("release-notes")
    if "spectre-meltdown-checker" in note:
        keys.append("checker")
    if not keys:
        keys.append("history")
    date = "2026-02-10" if "intel-list" in keys else "2025-11-11" if "headers" in keys else "2026-02-10"
    note = note.replace("; report unknown below it", "")
    rows.append([
        row["signature"], row["platform_mask"], row["codename"], row["products"] or "", row["class"],
        row["first_fixed_revision"] or "", row["fixed_build_date"] or "", row["fixed_release"] or "",
        "conservative" if conservative else "exact", "+".join(keys), date, note])
# Release 20231114 carried the HBM revision for these signatures too; Intel's list calls their HBM variant unaffected.
for signature in ("0x000806f4", "0x000806f5", "0x000806f6"):
    rows.append([
        signature, "0x10", "SPR-HBM", "Xeon Max", "conflict", "0x2c000290", "2023-06-26", "20231114", "exact",
        "intel-list+headers", "2026-02-10", "as 0x000806f8 with platform 0x10"])
write("reptar.tsv", reptar["data_version"], "2026-02-10", {
    "intel-list": INTEL_LIST, "headers": HEADERS, "release-notes": NOTES, "checker": CHECKER, "history": HISTORY,
}, "signature platform_mask codename products class floor built release kind sources date note".split(), rows)

# Intel's list: what it says of signatures outside the table above
rows = []
for row in csv.DictReader(open(data + "/intel_list_reptar_merged.tsv"), delimiter="\t"):
    rows.append([row["signature"], row["variant"], row["reptar_status"], row["code_name"], "intel-list", row["last_listed"]])
write("intel_list.tsv", "2026-02-10", "2026-02-10", {"intel-list": INTEL_LIST},
      "signature variant status codename sources date".split(), rows)

# CacheWarp
cachewarp = json.load(open(data + "/cachewarp_affected.json"))
rows = []
for row in cachewarp["processors"]:
    models = row["models"]
    low, high = ("0x00", "0xff") if models == "all" else (models.split("-") * 2)[:2]
    signature = row.get("signature", "")
    stepping = "*"
    # B0, B1 and B2 of Milan differ in the stepping alone, and each has its own floor; model 8 is Threadripper.
    if row["codename"].startswith("Milan"):
        stepping, low, high = int(signature, 16) & 15, "0x01", "0x01"
    fixed = row.get("first_fixed_revision", "")
    keys = {"affected": "sb-3005+firmware+history", "affected_no_fix": "cve+paper", "affected_unknown_fix": "firmware",
            "not_affected": "cve", "not_listed": "cve", "unknown": "none"}[row["status"]]
    rows.append([
        row["family"], low, high, stepping, row.get("brand_must_contain", ""), row["codename"], row.get("gen", ""),
        row["status"], fixed, row.get("built", ""), row.get("snp_ucode_svn_min", ""), keys,
        "2025-08-01" if "firmware" in keys else "2023-11-14", row.get("note", "")])
write("cachewarp.tsv", cachewarp["data_version"], "2026-09-01", {
    "sb-3005": "AMD-SB-3005 as quoted by a public document of 2026 (the bulletin itself was not reachable)",
    "firmware": "amd-ucode/README of linux-firmware (2025-08) and its kernel mails",
    "history": HISTORY,
    "cve": "CVE-2023-20592.json of CVEProject/cvelistV5, and the note of the Sovereign Cloud Stack (2024-01)",
    "paper": "CacheWarpAttack.github.io (paper.pdf) and cispa/CacheWarp README",
    "none": "no bulletin covers this processor",
}, "family first_model last_model stepping brand codename generation status floor built snp_microcode_floor sources date note".split(), rows)

# Revisions that exist, so that a revision shown in a guest can be believed or not
known = collections.defaultdict(dict)
for row in csv.DictReader(open(data + "/intel_microcode_releases.tsv"), delimiter="\t"):
    known["Intel", row["signature"], "headers"][row["revision"]] = row["build_date"]
for row in csv.DictReader(open(data + "/microcode_history.tsv"), delimiter="\t"):
    if row["vendor"] not in ("Intel", "AMD"):
        continue
    if row["revision"] not in known.get((row["vendor"], row["signature"], "headers"), {}):
        known[row["vendor"], row["signature"], "history"][row["revision"]] = row["build_date"]
rows = []
for (vendor, signature, source), revisions in sorted(known.items()):
    assert re.fullmatch("0x[0-9a-f]{8}", signature)
    rows.append([signature, vendor, source, max(revisions.values()),
                 " ".join(f"{revision}@{date}" for revision, date in sorted(revisions.items()))])
write("revisions.tsv", "ucode20251111", "2025-11-11", {"headers": HEADERS, "history": HISTORY},
      "signature vendor sources date revisions".split(), rows)
