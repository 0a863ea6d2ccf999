(* Volhejn 2020: total variation, its minimisers (V1), and the variation of the derivative of a network (V9). *)

From Coq Require Import Reals Lra Lia List Sorted Permutation.
From ImplicitSmoothness Require Import Sums two_layer.
Import ListNotations.
Open Scope R_scope.

(* The length of a sequence of values, for a distance d between them: sum_i d(v_i, v_{i+1}). *)
Fixpoint path {E : Type} (d : E -> E -> R) (values : list E) : R :=
  match values with
  | v :: (w :: _) as rest => d v w + path d rest
  | _ => 0
  end.

(* Increasing points inside a set; a point that is repeated adds nothing. *)
Definition partition (inside : R -> Prop) (p : list R) : Prop :=
  StronglySorted Rle p /\ forall t, In t p -> inside t.

(* The sums over partitions, and the total variation as their supremum (eq 1.13). *)
Definition variations {E : Type} (d : E -> E -> R) (f : R -> E) (inside : R -> Prop) (s : R) : Prop :=
  exists p, partition inside p /\ s = path d (map f p).
Definition total_variation {E : Type} (d : E -> E -> R) (f : R -> E) (inside : R -> Prop) (T : R) : Prop :=
  is_lub (variations d f inside) T.

Definition closed (a b t : R) : Prop := a <= t <= b.

(* |v - w|, and ||v - w|| for vectors: functions on the coordinates that a list names. *)
Definition distance (v w : R) : R := Rabs (w - v).
Definition euclidean {A : Type} (coordinates : list A) (v w : A -> R) : R :=
  sqrt (sum (fun i => (w i - v i) * (w i - v i)) coordinates).

Ltac sorted :=
  repeat first [apply SSorted_nil | apply SSorted_cons | apply Forall_nil | apply Forall_cons].

Lemma path_cons2 {E : Type} (d : E -> E -> R) v w rest : path d (v :: w :: rest) = d v w + path d (w :: rest).
Proof. reflexivity. Qed.

Lemma partition_tail inside t p : partition inside (t :: p) -> partition inside p.
Proof. intros [sorted within]. inversion sorted. split; [easy|]. intros s Hs. apply within. now right. Qed.

Lemma partition_head inside s t p : partition inside (s :: t :: p) -> s <= t.
Proof. intros [sorted _]. inversion sorted as [|? ? _ all]. now inversion all. Qed.

(* An increasing function with values in an interval varies by no more than its length. *)
Lemma path_monotone (f : R -> R) (p : list R) (first final : R) (inside : R -> Prop) :
  (forall s t, inside s -> inside t -> s <= t -> f s <= f t) -> partition inside p ->
  (forall t, In t p -> first <= f t <= final) -> first <= final -> path distance (map f p) <= final - first.
Proof.
  revert first. induction p as [|s p IH]; intros first increasing part range ordered; [simpl; lra|].
  destruct p as [|t p]; [simpl; lra|].
  assert (f s <= f t) as up.
  { apply increasing; [apply part; now left|apply part; right; now left|]. now apply partition_head in part. }
  change (path distance (map f (s :: t :: p))) with (distance (f s) (f t) + path distance (map f (t :: p))).
  assert (first <= f s) by (apply range; now left).
  assert (f t <= final) by (apply range; right; now left).
  assert (path distance (map f (t :: p)) <= final - f t).
  { apply IH; try easy; [now apply partition_tail in part|]. intros r Hr. split.
    - destruct Hr as [<-|Hr]; [lra|]. apply increasing; [apply part; right; now left|apply part; right; now right|].
      apply partition_tail in part. destruct part as [sorted _]. inversion sorted as [|? ? _ all].
      rewrite Forall_forall in all. now apply all.
    - apply range. now right. }
  assert (distance (f s) (f t) = f t - f s) by (apply Rabs_pos_eq; lra). lra.
Qed.

Lemma path_opp (f : R -> R) p : path distance (map (fun t => - f t) p) = path distance (map f p).
Proof.
  induction p as [|s [|t p] IH]; [reflexivity..|].
  simpl map in *. rewrite !path_cons2, IH. f_equal. unfold distance at 1 2.
  replace (- f t - - f s) with (- (f t - f s)) by ring. apply Rabs_Ropp.
Qed.

Lemma path_nonneg (values : list R) : 0 <= path distance values.
Proof.
  induction values as [|v [|w rest] IH]; [simpl; lra..|]. rewrite path_cons2.
  pose proof (Rabs_pos (w - v)) as step. fold (distance v w) in step. lra.
Qed.

(* The variation of a sum is at most the sum of the variations. *)
Lemma path_sum {I : Type} (f : I -> R -> R) (units : list I) p :
  path distance (map (fun t => sum (fun i => f i t) units) p) <= sum (fun i => path distance (map (f i) p)) units.
Proof.
  induction p as [|s [|t p] IH].
  - simpl. rewrite sum_zero; [lra|easy].
  - simpl. rewrite sum_zero; [lra|easy].
  - simpl map in *. rewrite path_cons2.
    rewrite (sum_eq (fun i => path distance (f i s :: f i t :: map (f i) p))
      (fun i => distance (f i s) (f i t) + path distance (f i t :: map (f i) p)))
      by (intros; apply path_cons2).
    rewrite sum_plus. apply Rplus_le_compat; [|exact IH].
    unfold distance. rewrite <- sum_minus. apply sum_abs.
Qed.

(* volhejn2020, eqs 1.13-1.15 (V1): "min {TV(f): f(a) = c_a, f(b) = c_b} = ||c_a - c_b||": no function has less, in any
   dimension, and the straight line has as much. *)
Theorem variation_lower_bound {A : Type} (coordinates : list A) (f : R -> A -> R) (a b T : R) :
  a <= b -> total_variation (euclidean coordinates) f (closed a b) T -> euclidean coordinates (f a) (f b) <= T.
Proof.
  intros ordered [upper _]. apply upper. exists [a; b]. split.
  - split; [sorted; easy|]. intros t [<-|[<-|[]]]; unfold closed; lra.
  - simpl. ring.
Qed.

Definition straight {A : Type} (a b : R) (c_a c_b : A -> R) (t : R) : A -> R :=
  fun i => c_a i + (t - a) / (b - a) * (c_b i - c_a i).

Lemma straight_step {A : Type} (coordinates : list A) a b c_a c_b s t :
  a < b -> s <= t ->
  euclidean coordinates (straight a b c_a c_b s) (straight a b c_a c_b t)
  = (t - s) / (b - a) * euclidean coordinates c_a c_b.
Proof.
  intros ordered up. assert (0 <= (t - s) / (b - a)).
  { apply Rmult_le_pos; [lra|]. apply Rlt_le, Rinv_0_lt_compat. lra. }
  rewrite <- (sqrt_square ((t - s) / (b - a))) at 1 by easy. unfold euclidean.
  rewrite <- sqrt_mult_alt by nra. f_equal. rewrite <- sum_scal. apply sum_eq. intros i _.
  unfold straight. field. lra.
Qed.

Theorem variation_of_straight_line {A : Type} (coordinates : list A) (c_a c_b : A -> R) (a b : R) :
  a < b -> (forall i, straight a b c_a c_b a i = c_a i) /\ (forall i, straight a b c_a c_b b i = c_b i) /\
  total_variation (euclidean coordinates) (straight a b c_a c_b) (closed a b) (euclidean coordinates c_a c_b).
Proof.
  intros ordered. split; [intros; unfold straight; field; lra|split; [intros; unfold straight; field; lra|]]. split.
  - intros s [p [part ->]]. set (L := euclidean coordinates c_a c_b).
    assert (0 <= L) by apply sqrt_pos.
    assert (forall t, closed a b t -> 0 <= (b - t) / (b - a) * L) as rest.
    { intros t Ht. apply Rmult_le_pos; [|easy]. unfold closed in Ht.
      apply Rmult_le_pos; [lra|]. apply Rlt_le, Rinv_0_lt_compat. lra. }
    assert (forall t q, partition (closed a b) (t :: q) ->
      path (euclidean coordinates) (map (straight a b c_a c_b) (t :: q)) <= (b - t) / (b - a) * L) as along.
    { intros t q. revert t. induction q as [|r q IH]; intros t Hq.
      - apply rest. apply Hq. now left.
      - change (path _ _) with (euclidean coordinates (straight a b c_a c_b t) (straight a b c_a c_b r)
          + path (euclidean coordinates) (map (straight a b c_a c_b) (r :: q))).
        rewrite straight_step by (try easy; now apply partition_head in Hq).
        specialize (IH r (partition_tail _ _ _ Hq)). fold L.
        replace ((b - t) / (b - a) * L) with ((r - t) / (b - a) * L + (b - r) / (b - a) * L) by (field; lra). lra. }
    destruct p as [|t q]; [simpl; lra|]. eapply Rle_trans; [now apply along|].
    assert (a <= t) by (apply part; now left).
    replace L with ((b - a) / (b - a) * L) at 2 by (field; lra).
    apply Rmult_le_compat_r; [easy|]. apply Rmult_le_compat_r; [|lra]. apply Rlt_le, Rinv_0_lt_compat. lra.
  - intros T upper. apply upper. exists [a; b]. split.
    + split; [sorted; lra|]. intros t [<-|[<-|[]]]; unfold closed; lra.
    + change (path _ _) with (euclidean coordinates (straight a b c_a c_b a) (straight a b c_a c_b b) + 0).
      rewrite straight_step by lra. field. lra.
Qed.

Definition increasing_on (a b : R) (f : R -> R) : Prop := forall s t, a <= s -> s <= t -> t <= b -> f s <= f t.
Definition decreasing_on (a b : R) (f : R -> R) : Prop := forall s t, a <= s -> s <= t -> t <= b -> f t <= f s.

(* volhejn2020, eq 1.16 (V1.a): for scalar f "the minimisers are exactly the weakly monotone functions". *)
Theorem least_variation_iff_monotone (f : R -> R) (a b : R) :
  a <= b ->
  total_variation distance f (closed a b) (Rabs (f b - f a)) <-> increasing_on a b f \/ decreasing_on a b f.
Proof.
  intros ordered. split.
  - intros [upper _].
    assert (forall s t, a <= s -> s <= t -> t <= b ->
      Rabs (f s - f a) + (Rabs (f t - f s) + (Rabs (f b - f t) + 0)) <= Rabs (f b - f a)) as through.
    { intros s t Hs Hst Ht. apply upper. exists [a; s; t; b]. split; [|reflexivity].
      split; [sorted; lra|]. intros r [<-|[<-|[<-|[<-|[]]]]]; unfold closed; lra. }
    destruct (Rle_dec (f a) (f b)) as [up|down]; [left|right]; intros s t Hs Hst Ht; specialize (through s t Hs Hst Ht).
    + rewrite (Rabs_pos_eq (f b - f a)) in through by lra. pose proof (Rle_abs (f s - f a)).
      pose proof (Rle_abs (f b - f t)). pose proof (Rabs_pos (f t - f s)). lra.
    + rewrite (Rabs_left (f b - f a)) in through by lra. pose proof (Rle_abs (- (f s - f a))).
      pose proof (Rle_abs (- (f b - f t))). rewrite Rabs_Ropp in *. pose proof (Rabs_pos (f t - f s)). lra.
  - intros monotone. split.
    + intros s [p [part ->]]. destruct monotone as [up|down].
      * assert (f a <= f b) by (apply up; lra). rewrite Rabs_pos_eq by lra.
        apply (path_monotone f p (f a) (f b) (closed a b)); try easy.
        -- intros s t [Hs _] [_ Ht] Hst. now apply up.
        -- intros t H1. destruct part as [_ within]. specialize (within t H1). unfold closed in within.
           split; apply up; lra.
      * assert (f b <= f a) by (apply down; lra). rewrite <- Rabs_Ropp, Rabs_pos_eq by lra.
        rewrite <- path_opp. replace (- (f b - f a)) with (- f b - - f a) by ring.
        apply (path_monotone (fun t => - f t) p (- f a) (- f b) (closed a b)); try easy; [| |lra].
        -- intros s t [Hs _] [_ Ht] Hst. apply Ropp_le_contravar. now apply down.
        -- intros t H1. destruct part as [_ within]. specialize (within t H1). unfold closed in within.
           split; apply Ropp_le_contravar; apply down; lra.
    + intros T upper. apply upper. exists [a; b]. split.
      * split; [sorted; lra|]. intros t [<-|[<-|[]]]; unfold closed; lra.
      * simpl. unfold distance. ring.
Qed.

(* The partitions as printed (eq 1.11), a = x_0 < x_1 < .. < x_m = b, have the same supremum. *)
Definition printed_partition (a b : R) (p : list R) : Prop :=
  StronglySorted Rlt p /\ exists middle, p = a :: middle ++ [b].

Theorem printed_partitions_agree {E : Type} (d : E -> E -> R) (f : R -> E) (a b T : R) :
  a < b -> (forall v w, 0 <= d v w) -> (forall v, d v v = 0) ->
  total_variation d f (closed a b) T
  <-> is_lub (fun s => exists p, printed_partition a b p /\ s = path d (map f p)) T.
Proof.
  intros ordered nonneg same.
  assert (forall p s, s <= b -> StronglySorted Rle (s :: p) -> (forall t, In t p -> t <= b) ->
    exists q, StronglySorted Rlt (s :: q) /\
      (s < b -> exists middle, q = middle ++ [b]) /\ Forall (fun t => t <= b) q /\
      path d (map f (s :: p)) <= path d (map f (s :: q))) as finer.
  { induction p as [|t p IH]; intros s Hs chain within.
    - destruct Hs as [below|equal].
      + exists [b]. split; [sorted; easy|split; [intros _; now exists []|split; [sorted; lra|]]].
        simpl. pose proof (nonneg (f s) (f b)). lra.
      + exists []. split; [sorted|split; [lra|split; [easy|lra]]].
    - inversion chain as [|? ? chain' all]. pose proof (Forall_inv all) as st.
      destruct (IH t) as [q [strict [ends [bounded longer]]]];
        [apply within; now left|easy|intros; apply within; now right|].
      change (path d (map f (s :: t :: p))) with (d (f s) (f t) + path d (map f (t :: p))).
      destruct st as [below|equal].
      + exists (t :: q). split; [|split; [|split]].
        * constructor; [easy|]. constructor; [easy|]. inversion strict as [|? ? _ larger].
          eapply Forall_impl; [|exact larger]. intros r Hr. lra.
        * intros _. destruct (within t (or_introl eq_refl)) as [tb|tb].
          -- destruct (ends tb) as [middle ->]. now exists (t :: middle).
          -- subst t. exists []. destruct q as [|r q]; [reflexivity|exfalso].
             inversion strict as [|? ? _ larger]. inversion larger. inversion bounded. lra.
        * constructor; [apply within; now left|easy].
        * change (path d (map f (s :: t :: q))) with (d (f s) (f t) + path d (map f (t :: q))). lra.
      + subst t. exists q. rewrite same. repeat split; try easy. lra. }
  assert (forall T, is_upper_bound (variations d f (closed a b)) T
    <-> is_upper_bound (fun s => exists p, printed_partition a b p /\ s = path d (map f p)) T) as bounds.
  { intros bound. split.
    - intros upper s [p [[strict [middle ->]] ->]]. apply upper. exists (a :: middle ++ [b]). split; [|easy].
      inversion strict as [|? ? strict' larger]. rewrite Forall_forall in larger.
      assert (forall q, StronglySorted Rlt (q ++ [b]) ->
        StronglySorted Rle (q ++ [b]) /\ forall t, In t (q ++ [b]) -> t <= b) as weak.
      { induction q as [|r q IH]; intros Hq; simpl in *.
        - split; [sorted|]. intros t [<-|[]]. lra.
        - inversion Hq as [|? ? Hq' higher]. destruct (IH Hq') as [chain upto]. rewrite Forall_forall in higher. split.
          + constructor; [easy|]. rewrite Forall_forall. intros t Ht. specialize (higher t Ht). lra.
          + intros t [<-|Ht]; [|now apply upto].
            apply Rlt_le, higher, in_or_app. right. now left. }
      destruct (weak (a :: middle) strict) as [chain upto]. split; [exact chain|].
      intros t Ht. split; [|now apply upto]. destruct Ht as [<-|Ht]; [lra|]. now apply Rlt_le, larger.
    - intros upper s [p [[chain within] ->]].
      destruct (finer p a) as [q [strict [ends [_ longer]]]]; [lra| | |].
      + constructor; [easy|]. rewrite Forall_forall. intros t Ht. now apply within.
      + intros t Ht. now apply within.
      + destruct (ends ordered) as [middle ->].
        apply Rle_trans with (path d (map f (a :: p))).
        * destruct p as [|t p]; [simpl; lra|]. simpl map. change (path d (f a :: f t :: map f p)) with
            (d (f a) (f t) + path d (f t :: map f p)). pose proof (nonneg (f a) (f t)). lra.
        * eapply Rle_trans; [exact longer|]. apply upper. exists (a :: middle ++ [b]). split; [|easy].
          split; [easy|]. now exists middle. }
  unfold total_variation, is_lub. rewrite bounds.
  split; intros [upper least]; (split; [easy|]); intros t Ht; apply least; now apply bounds.
Qed.

(* f' of a network (eq 3.16). The value of H at 0, which the thesis postulates to be 1, may be any kappa in [0, 1]. *)
Definition heaviside (kappa z : R) : R := if Rlt_dec 0 z then 1 else if Req_EM_T z 0 then kappa else 0.
Definition derivative (kappa : R) (net : network) (t : R) : R :=
  sum (fun u => w2 u * w1 u * heaviside kappa (pre_activation u t)) (neurons net).

(* The weight product (eq 3.8), in one dimension. *)
Definition weight_product (net : network) : R := sum (fun u => Rabs (w2 u * w1 u)) (neurons net).

(* It is the derivative wherever no unit toggles. *)
Theorem derivative_off_knots kappa net t :
  (forall u, In u (neurons net) -> pre_activation u t <> 0) ->
  derivable_pt_lim (output net) t (derivative kappa net t).
Proof.
  intros off eps eps_pos. destruct (output_sides net t) as [d [d_pos near]].
  assert (sum (fun u => right_slope u t) (neurons net) = derivative kappa net t) as right.
  { apply sum_eq. intros u Hu. specialize (off u Hu). unfold right_slope, heaviside.
    destruct (Rlt_dec 0 (pre_activation u t)), (Req_EM_T (pre_activation u t) 0); lra. }
  assert (sum (fun u => left_slope u t) (neurons net) = derivative kappa net t) as left.
  { apply sum_eq. intros u Hu. specialize (off u Hu). unfold left_slope, heaviside.
    destruct (Rlt_dec 0 (pre_activation u t)), (Req_EM_T (pre_activation u t) 0); lra. }
  rewrite right, left in near. exists (mkposreal d d_pos). simpl. intros h nonzero small.
  match goal with |- Rabs ?e < _ => replace e with 0; [now rewrite Rabs_R0|] end.
  destruct (Rlt_dec 0 h).
  - destruct (near h) as [-> _]; [rewrite Rabs_pos_eq in small; lra|]. field. lra.
  - destruct (near (- h)) as [_ back]; [rewrite Rabs_left in small; lra|].
    replace (t - - h) with (t + h) in back by ring. rewrite back. field. lra.
Qed.

(* Along increasing points one unit's derivative moves at most once, from 0 to w2 w1 or back. *)
Lemma unit_variation kappa (u : neuron) inside p :
  0 <= kappa <= 1 -> partition inside p ->
  path distance (map (fun t => w2 u * w1 u * heaviside kappa (pre_activation u t)) p) <= Rabs (w2 u * w1 u).
Proof.
  intros Hk part.
  assert (forall c, path distance (map (fun t => c * heaviside kappa (pre_activation u t)) p)
    = Rabs c * path distance (map (fun t => heaviside kappa (pre_activation u t)) p)) as scaled.
  { intros c. clear part. induction p as [|s [|t p] IH]; [simpl; ring..|].
    simpl map in *. rewrite !path_cons2, IH, Rmult_plus_distr_l. f_equal.
    unfold distance at 1 2. rewrite <- Rabs_mult. f_equal. ring. }
  rewrite scaled. rewrite <- (Rmult_1_r (Rabs (w2 u * w1 u))) at 2. apply Rmult_le_compat_l; [apply Rabs_pos|].
  assert (forall t, 0 <= heaviside kappa (pre_activation u t) <= 1) as range.
  { intros t. unfold heaviside. destruct Rlt_dec; [lra|]. destruct Req_EM_T; lra. }
  assert (forall y z, y <= z -> heaviside kappa y <= heaviside kappa z) as up.
  { intros y z Hyz. unfold heaviside. destruct (Rlt_dec 0 y), (Rlt_dec 0 z); try lra;
      destruct (Req_EM_T y 0), (Req_EM_T z 0); lra. }
  destruct (Rle_dec 0 (w1 u)) as [rising|falling].
  - replace 1 with (1 - 0) by ring. apply (path_monotone _ p 0 1 inside); try easy; [|lra].
    intros s t _ _ Hst. apply up. unfold pre_activation. nra.
  - rewrite <- path_opp. replace 1 with (- 0 - - (1)) by ring.
    apply (path_monotone (fun t => - heaviside kappa (pre_activation u t)) p (- (1)) (- 0) inside); try easy; [| |lra].
    + intros s t _ _ Hst. apply Ropp_le_contravar, up. unfold pre_activation. nra.
    + intros t _. specialize (range t). lra.
Qed.

(* volhejn2020, after eq 3.17 (V9.b): in general "TV(f') <= WP(f)", over any part of the line. *)
Theorem derivative_variation_at_most (kappa : R) (net : network) (inside : R -> Prop) (s : R) :
  0 <= kappa <= 1 -> variations distance (derivative kappa net) inside s -> s <= weight_product net.
Proof.
  intros Hk [p [part ->]]. unfold derivative. eapply Rle_trans.
  - apply (path_sum (fun u t => w2 u * w1 u * heaviside kappa (pre_activation u t))).
  - apply sum_le. intros u _. now apply (unit_variation kappa u inside).
Qed.

(* Units in the order of their knots. *)
Lemma sort_units (units : list neuron) :
  NoDup (map knot units) ->
  exists sorted_units, Permutation units sorted_units /\ StronglySorted (fun u v => knot u < knot v) sorted_units.
Proof.
  induction units as [|u units IH]; intros distinct; [exists []; split; [easy|constructor]|].
  apply NoDup_cons_iff in distinct. destruct distinct as [fresh distinct']. destruct (IH distinct') as [l [same chain]].
  assert (forall v, In v l -> knot v <> knot u) as apart.
  { intros v Hv equal. apply fresh. rewrite <- equal. apply in_map.
    now apply (Permutation_in _ (Permutation_sym same)). }
  assert (exists l', Permutation (u :: l) l' /\ StronglySorted (fun u v => knot u < knot v) l') as [l' [P S]].
  { clear - chain apart. induction chain as [|v others chain IH larger].
    - exists [u]. split; [easy|repeat constructor].
    - destruct (Rlt_dec (knot u) (knot v)) as [before|].
      + exists (u :: v :: others). split; [easy|]. constructor; [now constructor|]. constructor; [easy|].
        eapply Forall_impl; [|exact larger]. simpl. intros w Hw. lra.
      + destruct IH as [l' [P S]]; [intros w Hw; apply apart; now right|].
        exists (v :: l'). split; [now rewrite perm_swap, P|]. constructor; [easy|].
        eapply Permutation_Forall; [exact P|]. constructor; [|easy].
        specialize (apart v (or_introl eq_refl)). lra. }
  exists l'. split; [|easy]. now rewrite same.
Qed.

(* One point between each two neighbouring knots catches every jump. *)
Lemma catches_all kappa (units : list neuron) (s b : R) :
  StronglySorted (fun u v => knot u < knot v) units -> s <= b ->
  (forall u, In u units -> w1 u <> 0 /\ s < knot u < b) ->
  exists p, StronglySorted Rle (s :: p) /\ Forall (fun t => s <= t <= b) p /\
    forall rest : R -> R, (forall t r, s <= t <= b -> s <= r <= b -> rest t = rest r) ->
    path distance
      (map (fun t => rest t + sum (fun u => w2 u * w1 u * heaviside kappa (pre_activation u t)) units) (s :: p))
    = sum (fun u => Rabs (w2 u * w1 u)) units.
Proof.
  intros chain. revert s. induction chain as [|u later chain IH larger]; intros s sb within.
  - exists []. repeat split; [sorted|easy].
  - rewrite Forall_forall in larger.
    assert (exists m, knot u < m <= b /\ forall v, In v later -> m < knot v) as [m [um mv]].
    { destruct later as [|v later].
      - exists b. split; [|easy]. specialize (within u (or_introl eq_refl)). lra.
      - pose proof (larger v (or_introl eq_refl)). pose proof (within v (or_intror (or_introl eq_refl))).
        exists ((knot u + knot v) / 2). split; [lra|]. intros w [<-|Hw]; [lra|].
        inversion chain as [|? ? _ above]. rewrite Forall_forall in above. specialize (above w Hw). simpl in above.
        lra. }
    destruct (within u (or_introl eq_refl)) as [sloped [su ub]].
    destruct (IH m) as [p [sorted_p [inside_p caught]]]; [lra| |].
    { intros v Hv. destruct (within v (or_intror Hv)). specialize (mv v Hv). easy. }
    (* pre_activation u t = w1 (t - knot), so u is on one side from s to its knot and on the other from m to b *)
    assert (forall t, pre_activation u t = w1 u * (t - knot u)) as at_knot
      by (intros; unfold pre_activation, knot; now field).
    exists (m :: p). split; [|split].
    + constructor; [easy|]. constructor; [lra|]. eapply Forall_impl; [|exact inside_p]. simpl. intros; lra.
    + constructor; [lra|]. eapply Forall_impl; [|exact inside_p]. simpl. intros; lra.
    + intros rest fixed. simpl map. rewrite path_cons2. cbn [sum].
      set (D := fun t => rest t + (w2 u * w1 u * heaviside kappa (pre_activation u t)
        + sum (fun v => w2 v * w1 v * heaviside kappa (pre_activation v t)) later)).
      rewrite <- (caught (fun t => rest t + w2 u * w1 u * heaviside kappa (pre_activation u t))).
      2: { intros t r Ht Hr. rewrite (fixed t r) by lra. f_equal. f_equal. rewrite !at_knot. unfold heaviside.
           destruct (Rlt_dec 0 (w1 u)); repeat destruct Rlt_dec; repeat destruct Req_EM_T; try easy; exfalso; nra. }
      f_equal.
      * unfold distance. rewrite (fixed m s) by lra.
        rewrite (sum_eq (fun v => w2 v * w1 v * heaviside kappa (pre_activation v s))
          (fun v => w2 v * w1 v * heaviside kappa (pre_activation v m))).
        2: { intros v Hv. f_equal. destruct (within v (or_intror Hv)) as [sloped_v [sv vb]]. specialize (mv v Hv).
             assert (forall t, pre_activation v t = w1 v * (t - knot v)) as at_knot_v
               by (intros; unfold pre_activation, knot; now field).
             rewrite !at_knot_v. unfold heaviside.
             destruct (Rlt_dec 0 (w1 v)); repeat destruct Rlt_dec; repeat destruct Req_EM_T; try easy; exfalso; nra. }
        rewrite !at_knot. unfold heaviside.
        destruct (Rlt_dec 0 (w1 u)).
        -- destruct (Rlt_dec 0 (w1 u * (m - knot u))); [|exfalso; nra].
           destruct (Rlt_dec 0 (w1 u * (s - knot u))); [exfalso; nra|].
           destruct (Req_EM_T (w1 u * (s - knot u)) 0); [exfalso; nra|]. f_equal. ring.
        -- destruct (Rlt_dec 0 (w1 u * (m - knot u))); [exfalso; nra|].
           destruct (Req_EM_T (w1 u * (m - knot u)) 0); [exfalso; nra|].
           destruct (Rlt_dec 0 (w1 u * (s - knot u))); [|exfalso; nra]. rewrite <- Rabs_Ropp. f_equal. ring.
      * refine (f_equal (path distance) (map_ext D _ _ (m :: p))).
        intros t. unfold D. ring.
Qed.

(* volhejn2020, eqs 3.16-3.18 (V9, V9.a): "knots c_i unique and inside (a, b): TV(f') = sum_i |w2_i w1_i| = WP(f)". *)
Theorem derivative_variation (kappa : R) (net : network) (a b : R) :
  0 <= kappa <= 1 -> a <= b -> NoDup (map knot (neurons net)) ->
  (forall u, In u (neurons net) -> w1 u <> 0 /\ a < knot u < b) ->
  total_variation distance (derivative kappa net) (closed a b) (weight_product net).
Proof.
  intros Hk ordered distinct within. split.
  - intros s. now apply derivative_variation_at_most.
  - intros T upper. apply upper.
    destruct (sort_units (neurons net) distinct) as [units [same chain]].
    destruct (catches_all kappa units a b chain ordered) as [p [increasing [inside caught]]].
    { intros u Hu. apply within. now apply (Permutation_in _ (Permutation_sym same)). }
    exists (a :: p). split.
    + split; [easy|]. rewrite Forall_forall in inside. intros t [<-|Ht]; [unfold closed; lra|now apply inside].
    + unfold weight_product. rewrite (sum_permutation _ _ _ same), <- (caught (fun _ => 0)) by easy.
      f_equal. apply map_ext. intros t. unfold derivative. rewrite (sum_permutation _ _ _ same). ring.
Qed.

(* As printed, with knots in [a, b], it fails: [x]_+ on [0, 1], with H(0) = 1 as printed, has f' = 1 throughout. *)
Theorem knot_at_the_end :
  let net := Network [Neuron 1 0 1] 0 in
  NoDup (map knot (neurons net)) /\ (forall u, In u (neurons net) -> w1 u <> 0 /\ 0 <= knot u <= 1) /\
  total_variation distance (derivative 1 net) (closed 0 1) 0 /\ weight_product net = 1.
Proof.
  cbv zeta. split; [|split; [|split]].
  - simpl. constructor; [easy|constructor].
  - intros u [<-|[]]. unfold knot. simpl. split; lra.
  - assert (forall t, closed 0 1 t -> derivative 1 (Network [Neuron 1 0 1] 0) t = 1) as constant.
    { intros t [Ht _]. unfold derivative, heaviside, pre_activation. simpl.
      destruct (Rlt_dec 0 (1 * t + 0)); [lra|]. destruct (Req_EM_T (1 * t + 0) 0); lra. }
    split.
    + intros s [p [part ->]]. apply Rle_trans with (1 - 1); [|lra].
      apply (path_monotone (derivative 1 (Network [Neuron 1 0 1] 0)) p 1 1 (closed 0 1)); [|easy| |lra].
      * intros s t Hs Ht _. rewrite (constant s Hs), (constant t Ht). lra.
      * intros t Ht. rewrite constant by now apply part. lra.
    + intros T upper. apply upper. exists []. split; [split; [sorted|easy]|reflexivity].
  - unfold weight_product. simpl. rewrite Rmult_1_r, Rabs_R1. ring.
Qed.
