"""Scoring (阅卷评分) decides how well it went.

Examiners whom the centre assigned score sheets under blind codes; a score changes only by a correction that a
second person approves; parts are combined by a rule, reviewed and published by the centre.
"""
