"""Makes Tests/Fixtures/evaluation: rows of our own in the forms of the public data sets, and `expected.jsonl`, what
lm-evaluation-harness (0.4.13) makes of them: contexts, continuations and right answers. `random.json` holds what CPython's random.Random
draws. Needs lm-eval; run from the repository root.

    python Scripts/make_evaluation_fixtures.py
"""
import json, os, pathlib, shutil

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
D = pathlib.Path("Tests/Fixtures/evaluation")
shutil.rmtree(D, ignore_errors=True)


def w(path, rows):
    file = D / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


w('lambada_openai/de/test.jsonl',[{'text':'Der Hund lief über die Wiese und suchte seinen Ball. Endlich fand er den Ball'},{'text':'Sie öffnete das Buch.\n\nDann las sie noch eine Seite, und danach schloss sie das Buch'}])
sc=lambda i,a:{'story_id':str(i),'input_sentence_1':f'Ana lost key number {i}.','input_sentence_2':'She looked under the mat.','input_sentence_3':'It was not there.','input_sentence_4':'She asked a neighbour.','sentence_quiz1':'The neighbour had found it.','sentence_quiz2':'The mat began to sing.','answer_right_ending':a}
w('storycloze_2016/test.jsonl',[sc(1,1),sc(2,2)]); w('storycloze_2016/validation.jsonl',[sc(i,1+i%2) for i in range(10,16)])
w('xstorycloze/es/eval.jsonl',[sc(3,2),sc(4,1)])
w('hellaswag/validation.jsonl',[
 {'ind':1,'activity_label':'Cutting wood','ctx_a':'A woman stands beside a log.','ctx_b':'the Woman Named ÉVA','ctx':'','endings':['lifts an axe.','eats  the log [title] quickly.','[step] paints [a] the sky.','goes home.'],'label':'0'},
 {'ind':2,'activity_label':'Making tea','ctx_a':'[header] How to make tea [title] Boil water.','ctx_b':'','ctx':'','endings':['Pour it.','Fold it.','Sing [x]  it.','Count it.'],'label':'2'},
 {'ind':3,'activity_label':'Swimming','ctx_a':'A boy jumps in.','ctx_b':'he','ctx':'','endings':['swims.','flies.','reads.','melts.'],'label':'3'}])
w('winogrande/validation.jsonl',[{'sentence':'Tom gave Ben the map because _ knew the way.','option1':'Ben','option2':'Tom','answer':'1'},{'sentence':'The cup would not fit into the box, as the _ was too large.','option1':'cup','option2':'box','answer':'1'},{'sentence':'Eva thanked Lea, for _ had helped with _ .','option1':'Eva','option2':'Lea','answer':'2'}])
def wsc(text,p,opts,l,at): return {'text':text,'pronoun':p,'pronoun_loc':at,'quote':'','quote_loc':0,'options':opts,'label':l,'source':'own'}
t1='The Baker thanked the farmer because he had brought flour.'; t2="Sam met Kim.  Her coat was wet."; t3='The dogs chased the cats until they got tired.'; t4='A gardener found the tool that his friend had lost.'
w('wsc273/test.jsonl',[wsc(t1,'he',['The baker','the farmer'],1,t1.index(' he ')+1),wsc(t2,'Her',['Sam','The neighbour'],0,t2.replace('  ',' ').index('Her')),wsc(t3,'they',['The dogs','The cats'],0,t3.index('they')),wsc(t4,'his',['The gardener','The friend'],0,t4.index('his'))])
ai=lambda q,k,labels='ABCD':{'id':q[:4],'question':q,'question_stem':q,'choices':{'text':['water','stone','air','fire'][:len(labels)],'label':list(labels)},'answerKey':k}
w('ai2_arc/ARC-Easy/test.jsonl',[ai('What do fish swim in?','A'),ai('What do birds fly in?','3','1234'),ai('What is hard?','B','ABC')])
w('ai2_arc/ARC-Easy/train.jsonl',[ai(f'Question number {i}?','ABCD'[i%4]) for i in range(12)])
w('openbookqa/test.jsonl',[ai('A candle gives off','D'),ai('A boat floats on','A')])
w('headqa_en/test.jsonl',[{'qid':1,'qtext':'Which organ pumps blood?','ra':2,'answers':[{'aid':1,'atext':'Lung'},{'aid':2,'atext':'Heart'},{'aid':3,'atext':'Skin'}]},{'qid':2,'qtext':'How many hands has a nurse?','ra':1,'answers':[{'aid':1,'atext':'Two'},{'aid':2,'atext':'Nine'}]}])
w('sciq/test.jsonl',[{'question':'What falls from clouds?','distractor1':'sand','distractor2':'glass','distractor3':'milk','correct_answer':'rain','support':'  Clouds hold drops. '},{'question':'What is ice?','distractor1':'a gas','distractor2':'a metal','distractor3':'a plant','correct_answer':'frozen water','support':''}])
w('triviaqa/validation.jsonl',[{'question':'Which river flows through Vienna','answer':{'value':'Danube','aliases':['Danube','The Danube','Donau']}},{'question':'How many legs has a spider','answer':{'value':'eight','aliases':['eight','8']}}])
w('record/validation.jsonl',[{'passage':'Mara Holt opened a shop in Lund. It sells maps.\n@highlight\nThe shop sells maps\n@highlight\nMara Holt owns it\n','query':'The owner of the shop in Lund is @placeholder, and @placeholder sells maps','entities':['Mara Holt','Lund','lund','Mara Holt','The Shop'],'answers':['Mara Holt'],'idx':{'passage':0,'query':0}},
 {'passage':'Oslo beat Bergen.','query':'@placeholder lost','entities':['Oslo','Bergen','The Bergen Team'],'answers':['The Bergen Team','Bergen'],'idx':{'passage':1,'query':0}}])
cp=lambda p,a,b,q,l:{'premise':p,'choice1':a,'choice2':b,'question':q,'label':l,'idx':l,'changed':False}
w('copa/validation.jsonl',[cp('The lamp went out.','The bulb broke.','The sun rose.','cause',0),cp('It rained all night. ','The river rose.','The river dried.','effect',0)])
w('boolq/validation.jsonl',[{'passage':'Salt dissolves in water.','question':'does salt dissolve in water','label':1,'idx':0},{'passage':'Iron is a metal.','question':'is iron a plant','label':0,'idx':1}])
w('commonsense_qa/validation.jsonl',[{'id':'1','question':' Where does one sleep? ','question_concept':'sleep','choices':{'label':list('ABCDE'),'text':['bed','oven','river','roof','jar']},'answerKey':'A'},{'id':'2','question':'What cuts bread?','question_concept':'cut','choices':{'label':list('ABCDE'),'text':['cloud','knife','song','sand','rope']},'answerKey':'B'}])
w('xcopa/it/test.jsonl',[cp('La lampada si spense.','La lampadina si ruppe.','Il sole sorse.','cause',0),cp('Piovve tutta la notte.','Il fiume si alzò.','È secco.','effect',0)])
w('xwinograd/pt/test.jsonl',[{'sentence':'O Rui deu o mapa ao Zé porque _ sabia o caminho.','option1':'o Rui','option2':'o Zé','answer':'2'}])
w('paws-x/en/test.jsonl',[{'id':1,'sentence1':'The house ( built in 1900 ) was " old " , and it did n\'t fall .','sentence2':'Built in 1900 , the house was old .','label':1},{'id':2,'sentence1':'','sentence2':'Nothing.','label':0},{'id':3,'sentence1':"Paul 's dog ran ;",'sentence2':'The dog of Paul slept','label':0}])
w('paws-x/ja/test.jsonl',[{'id':1,'sentence1':'家は古い。','sentence2':'古い家だ。','label':1}])
w('xnli/zh/validation.jsonl',[{'premise':'他在家。','hypothesis':'他不在外面。','label':0},{'premise':'天气很好。','hypothesis':'下雨了。','label':2}])
w('xnli/en/validation.jsonl',[{'premise':'He is at home.','hypothesis':'He is not abroad.','label':1}])
mm=lambda s,q,a:{'question':q,'subject':s,'choices':['one','two','three','four'],'answer':a}
w('mmlu/college_biology/test.jsonl',[mm('college_biology',' How many hearts has a frog? ',0),mm('college_biology','How many wings has a bee?',3)])
w('mmlu/college_biology/dev.jsonl',[mm('college_biology',f'Development question {i}?',i%4) for i in range(5)])
w('mgsm/de/test.jsonl',[{'question':'Eva hat 3 Äpfel und kauft 4. Wie viele hat sie?','answer':None,'answer_number':7,'equation_solution':None}])
w('mgsm/de/train.jsonl',[{'question':f'Frage: Zwei und {i}?','answer':f'Schritt-für-Schritt-Antwort: Zwei und {i} ist {2+i}. Die Antwort lautet {2+i}.','answer_number':2+i,'equation_solution':''} for i in range(8)])
w('arithmetic/two_digit_addition.jsonl',[{'context':'Q: What is 14 plus 21?\n\nA:','completion':' 35'},{'context':'Q: What is 10 plus 11?\n\nA:','completion':' 21'},{'context':'Q: What is 50 plus 11?\n\nA:','completion':' 61'}])
w('gsm8k/test.jsonl',[{'question':'Ann has 2 pens and buys 3. How many has she?','answer':'She has 2 + 3 = <<2+3=5>>5 pens.\n#### 5'}])
w('gsm8k/train.jsonl',[{'question':f'What is {i} and {i}?','answer':f'It is <<{i}+{i}={2*i}>>{2*i}.\n#### {2*i}'} for i in range(9)])

from random import Random

vectors = []
for seed in (0, 1234, 2**32 + 5, -7):
    drawn = {"seed": seed, "getrandbits32": [], "random": [], "getrandbits": [], "sample_chain": [], "shuffle": [], "choice": []}
    r = Random(seed)
    drawn["getrandbits32"] = [r.getrandbits(32) for _ in range(4)]
    r = Random(seed)
    drawn["random"] = [r.random() for _ in range(3)]
    r = Random(seed)
    drawn["getrandbits"] = [{"k": k, "value": str(r.getrandbits(k))} for k in (1, 7, 31, 32, 33, 53, 64)]
    r = Random(seed)  # The pool is used for few elements, the set for many.
    drawn["sample_chain"] = [{"n": n, "k": k, "drawn": r.sample(range(n), k)}
                             for n, k in ((21, 5), (22, 5), (5, 5), (85, 6), (86, 6), (277, 16), (2376, 6), (1, 0))]
    for n in (1, 2, 33):
        order = list(range(n))
        Random(seed).shuffle(order)
        drawn["shuffle"].append({"n": n, "order": order})
    r = Random(seed)
    drawn["choice"] = [{"n": n, "index": r.choice(range(n))} for n in (1, 2, 5, 1000, 2**31 + 5)]
    vectors.append(drawn)
(D / "random.json").write_text(json.dumps({"seeds": vectors}) + "\n")

# Our name -> (lm-eval's name, files of its splits, examples, changes to its YAML)
TASKS = {
    "lambada_openai_mt_de": ("lambada_openai_mt_de", {"test": "lambada_openai/de/test"}, 0),
    "storycloze_2016": ("storycloze_2016", {"test": "storycloze_2016/test", "validation": "storycloze_2016/validation"}, 2),
    "xstorycloze_es": ("xstorycloze_es", {"eval": "xstorycloze/es/eval"}, 0),
    "hellaswag": ("hellaswag", {"validation": "hellaswag/validation", "train": "hellaswag/validation"}, 1),
    "winogrande": ("winogrande", {"validation": "winogrande/validation", "train": "winogrande/validation"}, 1),
    "wsc273": ("wsc273", {"test": "wsc273/test"}, 1),
    "arc_easy": ("arc_easy", {"test": "ai2_arc/ARC-Easy/test", "train": "ai2_arc/ARC-Easy/train"}, 3),
    "openbookqa": ("openbookqa", {"test": "openbookqa/test"}, 0),
    "headqa_en": ("headqa_en", {"test": "headqa_en/test"}, 0),
    "sciq": ("sciq", {"test": "sciq/test"}, 0),
    "triviaqa": ("triviaqa", {"validation": "triviaqa/validation", "train": "triviaqa/validation"}, 1),
    "record": ("record", {"validation": "record/validation"}, 0),
    "copa": ("copa", {"validation": "copa/validation", "train": "copa/validation"}, 1),
    "boolq": ("boolq", {"validation": "boolq/validation", "train": "boolq/validation"}, 1),
    "commonsense_qa": ("commonsense_qa", {"validation": "commonsense_qa/validation", "train": "commonsense_qa/validation"}, 1),
    "xcopa_it": ("xcopa_it", {"test": "xcopa/it/test"}, 0),
    "xwinograd_pt": ("xwinograd_pt", {"test": "xwinograd/pt/test"}, 0),
    "pawsx_en": ("paws_en", {"test": "paws-x/en/test"}, 0),
    "pawsx_ja": ("paws_ja", {"test": "paws-x/ja/test"}, 0),
    "xnli_zh": ("xnli_zh", {"validation": "xnli/zh/validation"}, 0),
    "xnli_en": ("xnli_en", {"validation": "xnli/en/validation"}, 0),
    "mmlu_college_biology": ("mmlu_college_biology", {"test": "mmlu/college_biology/test", "dev": "mmlu/college_biology/dev"}, 5),
    "mgsm_native_cot_de": ("mgsm_native_cot_de", {"test": "mgsm/de/test", "train": "mgsm/de/train"}, 3),
    "mgsm_direct_de": ("mgsm_direct_de", {"test": "mgsm/de/test", "train": "mgsm/de/train"}, 2),
    "mgsm_en_cot_de": ("mgsm_en_cot_de", {"test": "mgsm/de/test", "train": "mgsm/de/train"}, 0),
    "arithmetic_2da": ("arithmetic_2da", {"validation": "arithmetic/two_digit_addition"}, 1),
    "gsm8k": ("gsm8k", {"test": "gsm8k/test", "train": "gsm8k/train"}, 5),
}
import sys, types

import datasets

# lm-eval's record imports what transformers 5 has no more; only its texts are needed here.
for module in ("transformers.data.metrics", "transformers.data.metrics.squad_metrics"):
    sys.modules[module] = types.ModuleType(module)
sys.modules["transformers.data.metrics"].squad_metrics = sys.modules["transformers.data.metrics.squad_metrics"]
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks import TaskManager

manager = TaskManager()
lines = []
for name, (theirs, splits, shots) in TASKS.items():
    def download(self, *_, **__):
        # lm-eval looks at splits that it does not need.
        files = {s: next(iter(splits.values())) for s in ("train", "validation", "test")} | splits
        self.dataset = datasets.DatasetDict(
            {s: datasets.Dataset.from_list([json.loads(l) for l in open(D / f"{p}.jsonl")]) for s, p in files.items()})
    ConfigurableTask.download = download
    config = manager._factory._load_full_config(manager._index[theirs], None)
    task = ConfigurableTask(config={k: v for k, v in config.items() if k not in ("tag", "group", "task_list")})
    task.set_config("num_fewshot", shots)
    task.set_fewshot_seed(1234)
    task.build_all_requests()
    docs = list(task.eval_docs)
    rows = {}
    for instance in task.instances:
        rows.setdefault(instance.doc_id, []).append(instance)
    for row, instances in sorted(rows.items()):
        instances.sort(key=lambda i: i.idx)
        doc = docs[row]
        line = {"task": name, "shots": shots, "row": row}
        if task.OUTPUT_TYPE == "generate_until":
            line |= {"context": instances[0].args[0], "stops": instances[0].args[1]["until"], "gold": task.doc_to_target(doc)}
        else:
            line["requests"] = [list(i.args) for i in instances]
            gold = task.doc_to_text(doc) if task.multiple_input else task.doc_to_target(doc)
            if task.OUTPUT_TYPE == "multiple_choice" and isinstance(gold, str):
                gold = task.doc_to_choice(doc).index(gold) if gold in task.doc_to_choice(doc) else gold
            line["gold"] = gold
        lines.append(line)
w("expected.jsonl", lines)
print(len(lines), "rows of", len(TASKS), "tasks")
