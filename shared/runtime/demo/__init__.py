"""The assessments that the seed texts report, played person by person with generated, fictional people."""
