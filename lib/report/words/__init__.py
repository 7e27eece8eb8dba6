"""The words of the report by language: names and phrases (`language`), sentences (`templates`)."""
