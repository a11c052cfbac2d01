#!/usr/bin/env python3
"""Writes random JSON schemas that combine all keywords, a line each, for check_schemas.py.

  python3 Scripts/random_schemas.py SEED COUNT > schemas.jsonl
"""

import json
import random
import sys

R = random.Random(int(sys.argv[1]))
N = int(sys.argv[2])
names=['a','b','c','d','x1','é','']
def literal():
    return R.choice([0,1,-1,2,3,7,1.5,-2.5,0.1,10,100,True,False,None,'a','b','ab','abc','',[], [1],[1,'a'],{'a':1},{},{'a':1,'b':'x'}])
def number(s):
    for k in R.sample(['minimum','maximum','exclusiveMinimum','exclusiveMaximum','multipleOf'],R.choice([0,1,1,2])):
        s[k]=R.choice([1,2,3,5,0.5,0.25]) if k=='multipleOf' else R.choice([-10,-3,0,1,2,5,9,10,99,100,1000,0.5,-0.5,2.25,1e-3,123.456,-7.75])
def string(s):
    for k in R.sample(['minLength','maxLength','pattern','format'],R.choice([0,1,1,2])):
        s[k]={'minLength':lambda:R.randint(0,4),'maxLength':lambda:R.randint(0,6),'pattern':lambda:R.choice(['^a','b$','^[a-c]+$','^.{2,3}$','a|b','^\\d{1,3}$','x','^$|^ab$','[^a]']),'format':lambda:R.choice(['date','time','uuid','date-time'])}[k]()
def array(s,d):
    for k in R.sample(['items','prefixItems','minItems','maxItems','uniqueItems','contains','cc'],R.choice([0,1,2,3])):
        if k=='items': s[k]=schema(d-1)
        if k=='prefixItems': s[k]=[schema(d-1) for _ in range(R.randint(1,3))]
        if k=='minItems': s[k]=R.randint(0,3)
        if k=='maxItems': s[k]=R.randint(0,4)
        if k=='uniqueItems': s[k]=R.random()<.6
        if k in('contains','cc'):
            s['contains']=schema(d-1)
            if k=='cc':
                if R.random()<.5: s['minContains']=R.randint(0,2)
                if R.random()<.5: s['maxContains']=R.randint(0,3)
def object_(s,d):
    for k in R.sample(['properties','properties2','required','additionalProperties','patternProperties','propertyNames','minProperties','maxProperties','dependentRequired','dependentSchemas'],R.choice([0,1,2,2,3,4])):
        if k.startswith('properties'): s['properties']={n:schema(d-1) for n in R.sample(names,R.randint(1,4))}
        if k=='required': s[k]=R.sample(names,R.randint(1,2))
        if k=='additionalProperties': s[k]=R.choice([False,True,schema(d-1)])
        if k=='patternProperties': s[k]={R.choice(['^a','b','^x\\d$','^[a-c]$']):schema(d-1) for _ in range(R.randint(1,2))}
        if k=='propertyNames': s[k]=R.choice([{'maxLength':1},{'pattern':'^[a-c]*$'},{'enum':['a','b','zz']},{'minLength':1},{'not':{'const':'a'}}])
        if k=='minProperties': s[k]=R.randint(0,3)
        if k=='maxProperties': s[k]=R.randint(0,4)
        if k=='dependentRequired': s[k]={R.choice(names):R.sample(names,1)}
        if k=='dependentSchemas': s[k]={R.choice(names):schema(d-1)}
def schema(d):
    if d<=0 or R.random()<.05:
        return R.choice([True,{}, {'type':R.choice(['integer','string','null','boolean','number'])},{'const':literal()},{'enum':[literal() for _ in range(R.randint(1,4))]}])
    if R.random()<.02: return False
    s={}
    ts=R.sample(['object','array','string','number','integer','null','boolean'],R.choice([1,1,1,2]))
    if R.random()<.7: s['type']=ts[0] if len(ts)==1 else ts
    for t in ts:
        if t=='object': object_(s,d)
        if t=='array': array(s,d)
        if t=='string': string(s)
        if t in('number','integer'): number(s)
    if R.random()<.15: s['enum']=[literal() for _ in range(R.randint(1,5))]
    if R.random()<.05: s['const']=literal()
    for k in ['anyOf','oneOf','allOf']:
        if R.random()<.13: s[k]=[schema(d-1) for _ in range(R.randint(1,3))]
    if R.random()<.08: s['not']=schema(d-1)
    if R.random()<.08:
        s['if']=schema(d-1)
        if R.random()<.8: s['then']=schema(d-1)
        if R.random()<.6: s['else']=schema(d-1)
    if R.random()<.08: s['$ref']=R.choice(['#/$defs/p','#/$defs/q','#/$defs/q','#'])
    return s
for _ in range(N):
    s=schema(3)
    if isinstance(s,dict): s['$defs']={'p':schema(2),'q':schema(1)}
    print(json.dumps({'schema':s}))
