"""案头审查: rules over filings, each answering ok, finding, question or not computable.

How to add a rule:

1. Its words. Add an entry to a file of ``packs/desk``: id, names, formula, severity,
   jurisdictions, clauses, the settings it reads, and ``says``: for every outcome its verdict and
   its sentence in both languages; ``{name}`` stands for an input of that name. An outcome
   ``missing`` is there for all rules. Numbers of the law come from the clauses' ``parameters``
   (``at.parameters``, ``at.deadline``), numbers of ours from ``policy/desk.yaml``
   (``at.setting``), never from Python.
2. Its judgement. Add a function to a module of ``desk/themes``, one module a theme, all found by
   themselves::

       @check("DR-17", over=Trainee, reads={TrainingClass: via("class_id")})
       def retired(at: At, one: Trainee) -> Results:
           group = at.view.one(TrainingClass, one.class_id)
           if group is None:
               yield at.missing(one, at.as_of, "classes")
           elif one.retired_on is None: ...
           else:
               yield at.say("enrolled", one, group.start_on, {"retired_on": one.retired_on})

   It is called once for every row of ``over``. It may look at other rows through ``at.view``
   only, and ``reads`` names every register it looks at, with the way back: from a changed row to
   the rows of ``over`` that look at it. ``via("class_id")`` is "those whose class_id is the
   changed row's key", ``via("person", "person")`` "those with the changed row's person"; longer
   ways are functions ``(view, changed row) -> rows``, ``everywhere`` means all of them. A row of
   ``over`` itself changes its own result without being named; name ``over`` too when a rule
   looks at its sister rows. Several functions may judge one rule, over several registers.

``on`` in ``say`` is the day whose clauses judge the fact: the day it happened. Where no clause of
the rule is in force at the place on that day, nothing is said. ``at.say`` may be given
``clauses`` to cite fewer of the rule's. What a rule needs and does not have is told by
``at.missing(one, on, "register.field", ...)``, never guessed; ``at.view.known(Register)`` says
whether a register was given at all. Only ``review`` and ``table`` are called from outside.
"""
