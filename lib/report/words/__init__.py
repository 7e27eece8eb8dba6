"""The words of the report, by language: `language.py` for numbers and names, `templates.py` for sentences, a folder for each language."""
