"""The one question interface: JSON questions in, JSON answers with their clauses out.

``python -m inspection_plans.ask`` reads one question a line and answers line by line; the HTTP
route asks the same ``table.answer``. Every kind of question is one ``Handler`` under its name in
the ``HANDLERS`` of a topic module in this package; ``table`` finds the modules and puts them
together. A handler says the shape of its question, a ``Question`` record that is read strictly,
and a pure function ``(question, rulebook) -> answer``; the answer has ``clauses`` (ids of the
effective set) and, where a setting was used, ``basis``. What cannot be answered is refused with
a class of ``refusals``, never guessed. Source: settled point 13.
"""
